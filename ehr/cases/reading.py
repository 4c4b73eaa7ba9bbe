"""What each side sees of a case: the person all of it, the facility what it has to answer, the department
that it is late."""

from datetime import date as day
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.cases import queries
from ehr.cases.books import book_of
from ehr.cases.models import Act, CaseRow, CaseState, EvidenceRow, Kind, Side, StepRow
from ehr.cases.problems import CASE_UNKNOWN
from ehr.cases.queries import OriginalRow
from ehr.cases.texts import about_of, body_of, note_of
from ehr.models import Item
from ehr.queries import StaleRow
from ehr.rebuild import view_again
from identity.people import person_card
from identity.register.facilities import facility_by_id
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

LAST_ID = UUID(int=2**128 - 1)


class CaseView(Struct, kw_only=True):
    """A case in the person's list. Deadlines are the first instant after the last day of the term.

    by_service: it was opened because a visit's data did not come. overdue: the facility is late.
    """

    case_id: UUID
    kind: Kind
    state: CaseState
    facility_id: UUID
    facility_name: str
    item_id: str | None
    title: str
    visit_on: day | None
    by_service: bool
    opened_at: datetime
    acknowledge_by: datetime
    answer_by: datetime
    acknowledged_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    overdue: bool


class CaseStep(Struct, kw_only=True):
    """One act on the case. Who of the facility acted stands in the access log."""

    at: datetime
    act: Act
    state: CaseState
    side: Side
    text: str | None


class EvidenceView(Struct, kw_only=True):
    """A picture of the case; length in bytes."""

    evidence_id: UUID
    media_type: str
    length_bytes: int
    added_at: datetime


class CaseDetail(Struct, kw_only=True):
    """A case whole. original: the entry as it was when it was disputed; present: as it stands since, where it
    changed. superseded: a later version or its end answers the case."""

    case: CaseView
    text: str
    steps: list[CaseStep]
    evidence: list[EvidenceView]
    original: Item | None
    present: Item | None
    superseded: bool


class FacilityCase(Struct, kw_only=True):
    """A case in the facility's list: nothing of what it is about."""

    case_id: UUID
    kind: Kind
    state: CaseState
    opened_at: datetime
    acknowledge_by: datetime
    answer_by: datetime
    overdue: bool


class FacilityCaseDetail(Struct, kw_only=True):
    """What the facility needs to answer. unit: its own key of the episode.

    person_name and birth_date: not in a case about a visit that is somebody else's, nor in one that followed
    from a check-in (check_in_id): the desk knows whom it checked in, and an address book it is not (S19).
    """

    case: FacilityCase
    text: str
    title: str
    date: str | None
    unit: str | None
    visit_on: day | None
    demographics: bool
    whole_facility: bool
    check_in_id: UUID | None
    person_name: str | None
    birth_date: str | None
    steps: list[CaseStep]
    evidence: list[EvidenceView]


class OverdueCase(Struct, kw_only=True):
    """A late case as the department sees it: nothing clinical and nobody's name."""

    case_id: UUID
    kind: Kind
    state: CaseState
    facility_id: UUID
    facility_name: str
    opened_at: datetime
    deadline: datetime
    days_over: int


class OwnDetail(Struct, frozen=True):
    """A case, and the entries that its view shows, for the access log."""

    detail: CaseDetail
    shown: list[tuple[str, str]]


async def own_case(tx: Tx, access: Access, case_id: UUID) -> CaseRow | Refused:
    """A case of the person, or of somebody who was merged into this person and is covered (S10)."""
    for patient_id in (access.patient_id, *sorted(access.origins)):
        case = await queries.CASE_BY_ID.one(tx, patient_id, case_id)
        if case is not None:
            return case
    return Refused(problem=CASE_UNKNOWN)


async def own_cases(
    tx: Tx, keys: KeyRing, access: Access, before: UUID | None, limit: int, now: datetime
) -> list[CaseView]:
    """The person's cases, newest first."""
    found: list[CaseRow] = []
    for patient_id in (access.patient_id, *sorted(access.origins)):
        found += await queries.CASES_PAGE.all(tx, patient_id, before or LAST_ID, limit)
    newest = sorted(found, key=lambda case: case.case_id, reverse=True)[:limit]
    return [await view_of(tx, keys, case, now) for case in newest]


async def view_of(tx: Tx, keys: KeyRing, case: CaseRow, now: datetime) -> CaseView:
    facility = await facility_by_id(tx, case.facility_id)
    return CaseView(
        case_id=case.case_id,
        kind=case.kind,
        state=case.state,
        facility_id=case.facility_id,
        facility_name=facility.name if facility else "",
        item_id=case.item_id,
        title=about_of(keys, case).title,
        visit_on=case.visit_on,
        by_service=case.by_service,
        opened_at=case.opened_at,
        acknowledge_by=case.acknowledge_by,
        answer_by=case.answer_by,
        acknowledged_at=case.acknowledged_at,
        answered_at=case.answered_at,
        closed_at=case.closed_at,
        overdue=case.overdue_at is not None and case.overdue_at <= now,
    )


async def own_detail(
    tx: Tx, keys: KeyRing, access: Access, case_id: UUID, now: datetime
) -> OwnDetail | Refused:
    """A case with its trail. The disputed entry is shown as it was: corrections never change it here."""
    case = await own_case(tx, access, case_id)
    if isinstance(case, Refused):
        return case
    original, present = await _versions(tx, access, case, now)
    detail = CaseDetail(
        case=await view_of(tx, keys, case, now),
        text=body_of(keys, case),
        steps=await _steps(tx, keys, case),
        evidence=await _evidence(tx, case),
        original=original,
        present=present,
        superseded=case.superseded_version is not None,
    )
    shown = [(case.rtype, case.item_id)] if original and case.rtype and case.item_id else []
    return OwnDetail(detail, shown)


async def _versions(tx: Tx, access: Access, case: CaseRow, now: datetime) -> tuple[Item | None, Item | None]:
    """The entry as disputed and as it stands. Nothing of what the person said is somebody else's."""
    if case.kind != "correction" or case.rtype is None:
        return None, None
    book = await book_of(tx, case.patient_id)
    if book.patient_id != access.patient_id:
        return None, None
    row = await queries.ORIGINAL.one(
        tx, book.patient_id, case.rtype, case.item_id, case.item_version, book.mark
    )
    if row is None or not (row.origin_patient_id is None or row.origin_patient_id in access.origins):
        return None, None
    if row.version == case.item_version:
        return _ready(row.item), None
    was = view_again(StaleRow(row.rtype, row.id, row.title, row.item, row.doc))
    return _ready(was.item), _ready(row.item) if _is_shown(row, now) else None


def _is_shown(row: OriginalRow, now: datetime) -> bool:
    return not row.gone and not row.in_error and (row.release_at is None or row.release_at <= now)


def _ready(item: str) -> Item:
    return msgspec.json.decode(item, type=Item)


async def _steps(tx: Tx, keys: KeyRing, case: CaseRow) -> list[CaseStep]:
    rows: list[StepRow] = await queries.STEPS.all(tx, case.patient_id, case.case_id)
    return [
        CaseStep(
            at=row.at,
            act=row.act,
            state=row.state,
            side=row.side,
            text=note_of(keys, case.patient_id, row.note),
        )
        for row in reversed(rows)
    ]


async def _evidence(tx: Tx, case: CaseRow) -> list[EvidenceView]:
    return [evidence_view(row) for row in await queries.EVIDENCE_OF.all(tx, case.patient_id, case.case_id)]


def evidence_view(row: EvidenceRow) -> EvidenceView:
    return EvidenceView(
        evidence_id=row.evidence_id,
        media_type=row.media_type,
        length_bytes=row.length_bytes,
        added_at=row.added_at,
    )


async def case_of_facility(tx: Tx, facility_id: UUID, case_id: UUID) -> CaseRow | Refused:
    """A case that this facility has to answer; another's is as unknown as none."""
    mirror = await queries.FACILITY_CASE.one(tx, facility_id, case_id)
    case = None if mirror is None else await queries.CASE_BY_ID.one(tx, mirror.patient_id, case_id)
    return case if case is not None else Refused(problem=CASE_UNKNOWN)


async def facility_cases(
    tx: Tx, facility_id: UUID, before: UUID | None, limit: int, now: datetime, *, running: bool
) -> list[FacilityCase]:
    """The facility's cases, newest first. running: those that still wait for something."""
    rows = await queries.FACILITY_CASES.all(tx, facility_id, before or LAST_ID, running, limit)
    return [
        FacilityCase(
            case_id=row.case_id,
            kind=row.kind,
            state=row.state,
            opened_at=row.opened_at,
            acknowledge_by=row.acknowledge_by,
            answer_by=row.answer_by,
            overdue=row.overdue_at is not None and row.overdue_at <= now,
        )
        for row in rows
    ]


async def facility_detail(tx: Tx, keys: KeyRing, case: CaseRow, now: datetime) -> FacilityCaseDetail:
    """What the person says to the facility. It comes from the case alone: the record is not opened."""
    about = about_of(keys, case)
    nameless = case.kind == "not-mine" or case.check_in_id is not None
    card = None if nameless else await person_card(tx, keys, case.patient_id)
    return FacilityCaseDetail(
        case=facility_view(case, now),
        text=body_of(keys, case),
        title=about.title,
        date=about.date,
        unit=about.unit,
        visit_on=case.visit_on,
        demographics=about.demographics,
        whole_facility=about.whole_facility,
        check_in_id=case.check_in_id,
        person_name=card.name if card else None,
        birth_date=card.birth_date if card else None,
        steps=await _steps(tx, keys, case),
        evidence=await _evidence(tx, case),
    )


def facility_view(case: CaseRow, now: datetime) -> FacilityCase:
    return FacilityCase(
        case_id=case.case_id,
        kind=case.kind,
        state=case.state,
        opened_at=case.opened_at,
        acknowledge_by=case.acknowledge_by,
        answer_by=case.answer_by,
        overdue=case.overdue_at is not None and case.overdue_at <= now,
    )


async def overdue_cases(
    tx: Tx, after: tuple[datetime, UUID] | None, limit: int, now: datetime
) -> list[OverdueCase]:
    """Late cases of all facilities, the latest first; a refusal stops no clock."""
    start = after or (datetime.min.replace(tzinfo=now.tzinfo), UUID(int=0))
    rows = await queries.OVERDUE_CASES.all(tx, now, *start, limit)
    return [
        OverdueCase(
            case_id=row.case_id,
            kind=row.kind,
            state=row.state,
            facility_id=row.facility_id,
            facility_name=row.facility_name,
            opened_at=row.opened_at,
            deadline=row.overdue_at,
            days_over=(local_day(now) - local_day(row.overdue_at)).days + 1,
        )
        for row in rows
    ]
