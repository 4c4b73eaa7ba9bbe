"""Opening, answering and deciding a report of an access (consent.md §10).

The clock runs from the report: acknowledged within two working days, decided within the term of `case-term
access-report` (ours). The facility's privacy officer answers; what is late, and what no facility stands
behind, is on the health department's list, which may decide it too. An upheld report of broken glass suspends
the right to break it (security.md S24).
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from audit.log import entry_at
from audit.models import Entry
from audit.protection.service import unmask
from audit.service import record_act, record_admin_event
from consent.reports import queries
from consent.reports.models import (
    NO_FACILITY,
    Finding,
    Mirror,
    OwnReport,
    Report,
    ReportFile,
    ReportLine,
    ReportReason,
    ReportState,
)
from consent.reports.problems import (
    NOT_REPORTABLE,
    REPORT_DECIDED,
    REPORT_NOT_YOURS,
    REPORT_UNKNOWN,
    REPORTS_TOO_MANY,
)
from ehr.cases.terms import deadlines
from identity.units.service import share_unit, suspend
from kernel.access import Access, Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

RUNNING_MAX: Final = 20
UPHOLDS: Final[frozenset[Finding]] = frozenset({"no-reason", "by-mistake", "misuse"})
_NEWEST: Final = UUID(int=2**128 - 1)


class Hand(Struct, frozen=True, kw_only=True):
    """Who answers, and when."""

    actor: Actor
    request_id: str
    now: datetime


async def open_report(
    tx: Tx, access: Access, seq: int, reason: ReportReason, *, request_id: str, now: datetime
) -> Report | Refused:
    """Report one row of one's log; a second report of the same row is the first one."""
    entry = await entry_at(tx, access.patient_id, seq)
    if entry is None or _is_nobody_else_s(entry):
        return Refused(problem=NOT_REPORTABLE)
    known = await queries.BY_SEQ.one(tx, access.patient_id, seq)
    if known is not None:
        return known
    if (await queries.RUNNING.one(tx, access.patient_id) or 0) >= RUNNING_MAX:
        return Refused(problem=REPORTS_TOO_MANY)
    return await _insert(tx, access, seq, reason, entry, request_id, now)


async def _insert(
    tx: Tx, access: Access, seq: int, reason: ReportReason, entry: Entry, request_id: str, now: datetime
) -> Report | Refused:
    report_id, patient_id = uuid7(now), access.patient_id
    facility_id, actor = entry.facility_id or NO_FACILITY, entry.actor
    acknowledge_by, answer_by = await deadlines(tx, "access-report", now)
    late = now if entry.facility_id is None else min(acknowledge_by, answer_by)
    at = datetime.fromisoformat(entry.at)
    made = await queries.INSERT.one(
        tx, patient_id, report_id, seq, reason, facility_id, actor.kind, actor.id, entry.action, entry.basis,
        at, now, acknowledge_by, answer_by, late,
    )  # fmt: skip
    if made is not None:
        await queries.INSERT_MIRROR.run(
            tx, facility_id, report_id, patient_id, reason, now, acknowledge_by, answer_by, late
        )
        await record_act(
            tx,
            patient_id,
            access.actor,
            "report:access:open",
            on_behalf_of=access.on_behalf_of,
            request_id=request_id,
            now=now,
        )
    found = await queries.BY_SEQ.one(tx, patient_id, seq)
    assert found is not None, "just written, or by whoever was first"
    return found


async def own_reports(tx: Tx, access: Access) -> list[OwnReport]:
    """Newest first, at most 200."""
    return [own_view(one) for one in await queries.OF_PERSON.all(tx, access.patient_id)]


async def own_report(tx: Tx, access: Access, report_id: UUID) -> Report | Refused:
    found = await queries.BY_ID.one(tx, access.patient_id, report_id)
    return found or Refused(problem=REPORT_UNKNOWN)


async def facility_reports(tx: Tx, facility_id: UUID, before: UUID | None, limit: int) -> list[ReportLine]:
    """Newest first."""
    return await queries.OF_FACILITY.all(tx, facility_id, before or _NEWEST, limit)


async def overdue_reports(
    tx: Tx, after: tuple[datetime, UUID] | None, limit: int, now: datetime
) -> list[ReportLine]:
    """What the department sees: late ones and those without a facility, the longest late first."""
    since, last = after or (datetime.min.replace(tzinfo=now.tzinfo), UUID(int=0))
    return await queries.OVERDUE.all(tx, now, since, last, limit)


async def acknowledge(tx: Tx, report_id: UUID, hand: Hand) -> ReportFile | Refused:
    """Say that it was received, and see what it is about; again shows it again."""
    report = await _answerable(tx, report_id, hand)
    if isinstance(report, Refused):
        return report
    if await queries.ACKNOWLEDGE.one(tx, report.patient_id, report_id, hand.now) is not None:
        await queries.MOVE_MIRROR.run(tx, report.facility_id, report_id, "acknowledged", report.answer_by)
        await _tell(tx, report, hand)
    await _note(tx, report, "report:access:acknowledge", hand)
    return await _file(tx, report)


async def decide_report(tx: Tx, report_id: UUID, finding: Finding, hand: Hand) -> ReportFile | Refused:
    """Say what was found. Upheld for broken glass, it suspends whoever broke it."""
    report = await _answerable(tx, report_id, hand)
    if isinstance(report, Refused):
        return report
    state: ReportState = "upheld" if finding in UPHOLDS else "not-upheld"
    decided = await queries.DECIDE.one(
        tx, report.patient_id, report_id, state, finding, hand.actor.actor_id, hand.now
    )
    if decided is None:
        return Refused(problem=REPORT_DECIDED)
    await queries.MOVE_MIRROR.run(tx, report.facility_id, report_id, state, None)
    if state == "upheld" and report.basis == "break-glass":
        await suspend(tx, report.actor_id, hand.now)
    await _note(tx, report, "report:access:uphold" if state == "upheld" else "report:access:reject", hand)
    await _tell(tx, report, hand)
    return await _file(tx, report)


async def unmask_actor(tx: Tx, report_id: UUID, reason: str, hand: Hand) -> ReportFile | Refused:
    """Name a protected practitioner to the person of this report (security.md S27): an act of the health
    department with a reason, in the operators' chain and in the person's, and told."""
    report = await _answerable(tx, report_id, hand)
    if isinstance(report, Refused):
        return report
    if report.actor_kind != "practitioner":
        return Refused(problem=NOT_REPORTABLE)
    if await unmask(tx, report.patient_id, report.actor_id, report_id, hand.actor.actor_id, hand.now):
        await record_admin_event(tx, str(hand.actor.actor_id), "report:actor:unmask", reason, 1, hand.now)
        await _note(tx, report, "report:actor:unmask", hand)
        await _tell(tx, report, hand)
    return await _file(tx, report)


async def _answerable(tx: Tx, report_id: UUID, hand: Hand) -> Report | Refused:
    """A privacy officer answers for the own facility, the department for every one. Nobody answers a report
    of the own access, nor of a colleague's in the own unit, as with broken glass (security.md S24)."""
    mirror = await _mirror(tx, report_id, hand.actor)
    if mirror is None:
        return Refused(problem=REPORT_UNKNOWN)
    report = await queries.BY_ID.one(tx, mirror.patient_id, report_id)
    if report is None:
        return Refused(problem=REPORT_UNKNOWN)
    officer = hand.actor.actor_id
    if report.actor_id == officer or await share_unit(tx, report.actor_id, officer, report.accessed_at):
        return Refused(problem=REPORT_NOT_YOURS)
    return report


async def _mirror(tx: Tx, report_id: UUID, actor: Actor) -> Mirror | None:
    if actor.role == "department-analyst":
        return await queries.ANY_MIRROR.one(tx, report_id)
    return await queries.MIRROR.one(tx, actor.facility_id, report_id)


async def _note(tx: Tx, report: Report, action: str, hand: Hand) -> None:
    await record_act(tx, report.patient_id, hand.actor, action, request_id=hand.request_id, now=hand.now)


async def _tell(tx: Tx, report: Report, hand: Hand) -> None:
    ref = {"report_id": str(report.report_id)}
    await emit(tx, report.patient_id, "consent.report-moved", ref, hand.now)


async def _file(tx: Tx, report: Report) -> ReportFile:
    fresh = await queries.BY_ID.one(tx, report.patient_id, report.report_id) or report
    return ReportFile(
        report_id=fresh.report_id,
        patient_id=fresh.patient_id,
        seq=fresh.seq,
        actor_id=fresh.actor_id,
        action=fresh.action,
        basis=fresh.basis,
        accessed_at=fresh.accessed_at,
        reason=fresh.reason,
        state=fresh.state,
        answer_by=fresh.answer_by,
        finding=fresh.finding,
    )


def own_view(report: Report) -> OwnReport:
    return OwnReport(
        report_id=report.report_id,
        seq=report.seq,
        reason=report.reason,
        state=report.state,
        opened_at=report.opened_at,
        acknowledge_by=report.acknowledge_by,
        answer_by=report.answer_by,
        acknowledged_at=report.acknowledged_at,
        finding=report.finding,
        decided_at=report.decided_at,
    )


def _is_nobody_else_s(entry: Entry) -> bool:
    """The person's own acts, and jobs, which nobody answers for in person."""
    own = entry.actor.kind == "citizen" and entry.actor.id == entry.patient_id
    return own or entry.actor.kind == "job"
