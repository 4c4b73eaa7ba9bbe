"""Opening a case: by the person about an entry, a visit, a facility; by itself where a visit left no data."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.cases import queries
from ehr.cases.books import Book, book_of
from ehr.cases.models import About, CaseRow, Kind, NewCase
from ehr.cases.moves import SERVICE, Hand, contest, leave_trail, mirror
from ehr.cases.policy import OPEN_CASES_MAX, VISIT_AGE_MAX, late_from
from ehr.cases.problems import (
    CASE_ALREADY_OPEN,
    CASE_INVALID,
    CASE_NO_FACILITY,
    CASE_TARGET_UNKNOWN,
    CASES_TOO_MANY,
)
from ehr.cases.terms import deadlines
from ehr.cases.texts import seal_about, seal_body
from ehr.reads.queries import TARGET, TargetRow
from ehr.reads.scope import scope_of
from ehr.store import mark_rows, touch_head
from identity import budgets
from identity.register.facilities import facility_by_id
from kernel.access import Access
from kernel.clock import end_of_day, local_day, start_of_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit


class Target(Struct, frozen=True, kw_only=True):
    """What a case is about, once it was found."""

    facility_id: UUID
    row: TargetRow | None = None
    about: About
    visit_on: date | None = None
    check_in_id: UUID | None = None
    facility_told: bool = True


class Dated(Struct, frozen=True):
    date: str | None = None


_dated = msgspec.json.Decoder(Dated).decode
WRONG_DEATH: Final = "Tôi còn sống: tin báo tử này là nhầm, xin sửa lại."
_NOT_FOUND: Final = Refused(problem=CASE_TARGET_UNKNOWN)


async def open_case(
    tx: Tx, keys: KeyRing, access: Access, new: NewCase, *, request_id: str, now: datetime
) -> CaseRow | Refused:
    """Open a case for the person. "Not mine" takes the episode out of every view in this transaction."""
    await touch_head(tx, access.patient_id, now)
    running = await queries.RUNNING_CASES.all(tx, access.patient_id)
    if sum(not case.by_service for case in running) >= OPEN_CASES_MAX:
        return Refused(problem=CASES_TOO_MANY)
    target = await _target(tx, access, new, now)
    if isinstance(target, Refused):
        return target
    same = next((case for case in running if _is_same(case, new.kind, target)), None)
    if same is not None:
        return await _confirm(tx, same)
    spent = await budgets.charge_or_refuse(
        tx, budgets.CASES_DAY, budgets.subject(access.patient_id.bytes), now
    )
    if spent is not None:
        return spent
    hand = Hand(actor=access.actor, side="person", request_id=request_id, now=now)
    case = await _insert(tx, keys, access.patient_id, new.kind, new.text, target, hand)
    if new.kind == "not-mine":
        await _dispute(tx, access, case, target, now)
    elif new.kind == "correction" and target.row is not None:
        await contest(tx, Book(case.patient_id), case, now, shown=True)
    await emit(tx, case.patient_id, "ehr.case-opened", {"case_id": str(case.case_id)}, now)
    return case


async def expect_record(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    check_in_id: UUID,
    facility_id: UUID,
    came_at: datetime,
    now: datetime,
    *,
    facility_told: bool,
) -> CaseRow | None:
    """Open a case when a facility where the person checked in sent nothing since; None where it did.

    Two arrivals at one facility on one day make one case. facility_told: the check-in proves that the person
    was there; of a typed number the person alone is asked (security.md S19).
    """
    await touch_head(tx, patient_id, now)
    day = local_day(came_at)
    known = await queries.CASE_OF_ARRIVAL.one(tx, patient_id, check_in_id)
    if known or await has_come(tx, patient_id, facility_id, day):
        return None
    target = Target(
        facility_id=facility_id,
        about=About(),
        visit_on=day,
        check_in_id=check_in_id,
        facility_told=facility_told,
    )
    running = await queries.RUNNING_CASES.all(tx, patient_id)
    if any(_is_same(case, "missing-visit", target) for case in running):
        return None
    hand = Hand(actor=SERVICE, side="service", request_id=str(check_in_id), now=now)
    case = await _insert(tx, keys, patient_id, "missing-visit", "", target, hand)
    await emit(tx, patient_id, "ehr.record-awaited", {"case_id": str(case.case_id)}, now)
    return case


async def correct_death(
    tx: Tx, keys: KeyRing, patient_id: UUID, facility_id: UUID, now: datetime
) -> CaseRow | None:
    """Open a correction for a facility whose file said that a living person died (security.md S18)."""
    await touch_head(tx, patient_id, now)
    target = Target(facility_id=facility_id, about=About(demographics=True))
    running = await queries.RUNNING_CASES.all(tx, patient_id)
    if any(_is_same(case, "correction", target) for case in running):
        return None
    hand = Hand(actor=SERVICE, side="service", request_id=str(patient_id), now=now)
    return await _insert(tx, keys, patient_id, "correction", WRONG_DEATH, target, hand)


async def has_come(tx: Tx, patient_id: UUID, facility_id: UUID, day: date) -> bool:
    """Whether a facility sent anything about that day."""
    book = await book_of(tx, patient_id)
    since, until = start_of_day(day), end_of_day(day)
    return bool(await queries.CAME_FROM.one(tx, book.patient_id, facility_id, since, until))


async def has_visited(tx: Tx, patient_id: UUID, facility_id: UUID, first: date, last: date) -> bool:
    """Whether a facility reported a visit that began between these days, both included."""
    book = await book_of(tx, patient_id)
    since, until = start_of_day(first), end_of_day(last)
    return bool(await queries.VISITED.one(tx, book.patient_id, facility_id, since, until))


async def _confirm(tx: Tx, case: CaseRow) -> CaseRow | Refused:
    """The person says "I was there" of a visit that the service asked about: now the facility is told."""
    if case.facility_told:
        return Refused(problem=CASE_ALREADY_OPEN)
    await queries.TELL_FACILITY.run(tx, case.patient_id, case.case_id)
    told = msgspec.structs.replace(case, facility_told=True)
    await mirror(tx, told)
    return told


async def _target(tx: Tx, access: Access, new: NewCase, now: datetime) -> Target | Refused:
    if new.kind == "missing-visit":
        return await _missing(tx, new, now)
    if new.visit_on is not None or (new.item_id is None) == (new.facility_id is None):
        return Refused(problem=CASE_INVALID, where="item_id")
    if new.item_id is None:
        return await _of_facility(tx, access, new)
    row = await TARGET.one(tx, *scope_of(access, now), new.item_id)
    if row is None:
        return _NOT_FOUND
    if row.facility_id is None:
        return Refused(problem=CASE_NO_FACILITY)
    about = About(title=row.title, date=_dated(row.item).date, unit=row.unit)
    return Target(facility_id=row.facility_id, row=row, about=about)


async def _of_facility(tx: Tx, access: Access, new: NewCase) -> Target | Refused:
    """All that a facility sent, or what it reports of the person: it must have sent something."""
    assert new.facility_id is not None
    rows = await queries.OF_FACILITY.all(tx, access.patient_id, new.facility_id, sorted(access.origins))
    if not rows:
        return _NOT_FOUND
    whole = new.kind == "not-mine"
    return Target(facility_id=new.facility_id, about=About(demographics=not whole, whole_facility=whole))


async def _missing(tx: Tx, new: NewCase, now: datetime) -> Target | Refused:
    if new.facility_id is None or new.item_id is not None or new.visit_on is None:
        return Refused(problem=CASE_INVALID, where="facility_id")
    today = local_day(now)
    if not today - VISIT_AGE_MAX <= new.visit_on <= today:
        return Refused(problem=CASE_INVALID, where="visit_on")
    if await facility_by_id(tx, new.facility_id) is None:
        return _NOT_FOUND
    return Target(facility_id=new.facility_id, about=About(), visit_on=new.visit_on)


def _is_same(case: CaseRow, kind: Kind, target: Target) -> bool:
    item = (target.row.rtype, target.row.id) if target.row else (None, None)
    this = kind, target.facility_id, *item, target.visit_on
    return (case.kind, case.facility_id, case.rtype, case.item_id, case.visit_on) == this


async def _insert(
    tx: Tx, keys: KeyRing, patient_id: UUID, kind: Kind, text: str, target: Target, hand: Hand
) -> CaseRow:
    first, last = await deadlines(tx, kind, hand.now)
    case = CaseRow(
        patient_id=patient_id,
        case_id=uuid7(hand.now),
        kind=kind,
        state="open",
        facility_id=target.facility_id,
        rtype=target.row.rtype if target.row else None,
        item_id=target.row.id if target.row else None,
        item_version=target.row.version if target.row else None,
        superseded_version=None,
        visit_on=target.visit_on,
        check_in_id=target.check_in_id,
        by_service=hand.side == "service",
        opened_at=hand.now,
        acknowledge_by=first,
        answer_by=last,
        acknowledged_at=None,
        answered_at=None,
        closed_at=None,
        overdue_at=late_from("open", first, last),
        about=seal_about(keys, patient_id, target.about),
        body=seal_body(keys, patient_id, text),
        facility_told=target.facility_told,
    )
    await queries.INSERT_CASE.run(tx, *(getattr(case, name) for name in CaseRow.__struct_fields__))
    await mirror(tx, case)
    await leave_trail(tx, keys, case, "open", hand)
    return case


async def _dispute(tx: Tx, access: Access, case: CaseRow, target: Target, now: datetime) -> None:
    """Take the episode, or all of the facility, out of every view, and hold what comes of it later."""
    row, patient_id = target.row, case.patient_id
    held: tuple[str, str | None, str | None, bool]
    if row is None:
        found = await queries.OF_FACILITY.all(tx, patient_id, case.facility_id, sorted(access.origins))
        held = str(case.facility_id), None, None, True
    else:
        unit, visit = await _episode(tx, patient_id, row)
        found = await queries.EPISODE.all(
            tx, patient_id, row.source_id, unit, visit, row.rtype, row.id, row.origin_patient_id
        )
        held = row.source_id, unit, visit, False
    await queries.INSERT_DISPUTE.run(tx, patient_id, case.case_id, *held)
    keys = [r.rtype for r in found], [r.id for r in found]
    await queries.INSERT_CASE_ROWS.run(tx, patient_id, case.case_id, *keys, "verified")
    await mark_rows(tx, patient_id, list(zip(*keys, strict=True)), now, state="disputed")


async def _episode(tx: Tx, patient_id: UUID, row: TargetRow) -> tuple[str | None, str | None]:
    """(unit, encounter) of an entry. A unit of several visits is not one episode: then the visit alone."""
    visit = row.id if row.rtype == "Encounter" else row.encounter_id
    visits = await queries.VISITS_OF_UNIT.one(tx, patient_id, row.unit, row.source_id) if row.unit else 0
    return (row.unit if row.unit and (visits or 0) <= 1 else None), visit
