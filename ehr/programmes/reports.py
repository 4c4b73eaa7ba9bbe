"""A monthly or quarterly report: each row goes on what the facility said of the person before.

A row is found again by the programme and the register number, so the same file twice changes nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET

from ehr.entry.models import EntryNumber, EntryPerson
from ehr.entry.service import Desk
from ehr.intake.models import BadInputError, Reason
from ehr.programmes import paper as papers
from ehr.programmes import queries
from ehr.programmes.models import EndBody, Enrolment, EnrolmentBody, Frequency, VisitBody
from ehr.programmes.names import END_VI, PROGRAMME_VI
from ehr.programmes.paper import BodySaid, EndSaid, Outlook, Paper, Said
from ehr.programmes.problems import PROGRAMME_WITHHELD
from ehr.programmes.service import (
    REPORTED,
    added,
    insert,
    keep,
    opened,
    prepare_unit,
    register_id,
    take_in,
)
from ehr.programmes.visits import met, visit_of_day
from ehr.rows.models import Column, Row, StandingKind
from ehr.rows.person import PERSON_COLUMNS, fhir_day, person_of
from kernel.problems import Refused
from kernel.text import fold
from store.database import Tx
from store.keys import KeyRing

KIND: Final = "programmes"
COLUMNS: Final = (
    *PERSON_COLUMNS,
    Column("programme", "Chương trình", is_required=True, length_max=60),
    Column("register_number", "Số sổ", is_required=True, length_max=40),
    Column("enrolled_on", "Ngày vào", is_required=True, length_max=10),
    Column("stage", "Giai đoạn", length_max=100),
    Column("visited_on", "Ngày khám", length_max=10),
    Column("next_visit_on", "Hẹn khám", length_max=10),
    Column("advice", "Lời dặn", length_max=1000),
    Column("systolic", "Huyết áp tâm thu", length_max=8),
    Column("diastolic", "Huyết áp tâm trương", length_max=8),
    Column("weight", "Cân nặng (kg)", length_max=8),
    Column("height", "Chiều cao (cm)", length_max=8),
    Column("last_period_on", "Ngày kinh cuối", length_max=10),
    Column("due_on", "Ngày dự sinh", length_max=10),
    Column("tetanus", "Mũi uốn ván thứ", length_max=1),
    Column("ended_on", "Ngày kết thúc", length_max=10),
    Column("end_reason", "Lý do kết thúc", length_max=60),
)
_SIGNS: Final = ("systolic", "diastolic", "weight", "height")
_OF_VISIT: Final = ("advice", "tetanus", *_SIGNS)
_PROGRAMMES: Final = {fold(text): code for code, vi in PROGRAMME_VI.items() for text in (code, vi)}
_ENDINGS: Final = {fold(text): code for code, vi in END_VI.items() for text in (code, vi)}
# What our faults call a field that the table calls otherwise.
_COLUMN_OF: Final = {
    "name": "full_name",
    "value": "national_id",
    "pregnancy": "last_period_on",
    "visits": "visited_on",
}


class Told(msgspec.Struct, frozen=True):
    """What one row says."""

    body: EnrolmentBody
    visit: VisitBody | None
    end: EndBody | None


async def report(tx: Tx, keys: KeyRing, desk: Desk, told: Told) -> UUID | list[Reason]:
    """Take one row in. Raises BadInputError with the columns that are wrong; what the gate stops and what was
    taken back is a list of reasons, and nothing is written then."""
    body = told.body
    assert body.register_number is not None
    enrolment_id = register_id(desk.facility.facility_id, body.programme, body.register_number)
    row = await queries.LOCK_ENROLMENT.one(tx, desk.facility.facility_id, enrolment_id)
    if row is not None and row.status == "withdrawn":
        return [Reason("enrolment-ended", "register_number")]
    paper = opened(keys, row) if row else Paper([])
    try:
        paper = added(paper, desk, *_said(papers.fold(paper), told, enrolment_id))
        made = await prepare_unit(tx, desk, enrolment_id, paper)
    except BadInputError as error:
        raise BadInputError([Reason(one.code, column_of(one.where)) for one in error.reasons]) from None
    if isinstance(made, Refused):
        return [Reason("withheld" if made.problem is PROGRAMME_WITHHELD else made.problem.code, "row")]
    if row is None:
        await insert(tx, keys, desk, enrolment_id, paper)
    await take_in(tx, keys, desk, made, REPORTED)
    if row is not None or told.end is not None:
        await keep(tx, keys, desk, enrolment_id, paper)
    return enrolment_id


def kind_of(keys: KeyRing, desk: Desk, frequency: Frequency, reported_on: date) -> StandingKind:
    """Rows of one report. The day is part of the name: the same rows of another month are another file."""

    async def take(tx: Tx, row: Row, now: datetime) -> UUID | list[Reason]:
        told = told_by(row, frequency, reported_on.isoformat())
        return await report(tx, keys, msgspec.structs.replace(desk, now=now), told)

    return StandingKind(name=f"{KIND}:{frequency}:{reported_on}", columns=COLUMNS, take=take)


def _said(before: Enrolment | None, told: Told, enrolment_id: UUID) -> list[Said]:
    """What the row adds to what was said before; what it leaves open stays as it was."""
    body, told_visit = told.body, told.visit
    on = body.enrolled_on if before is None else body.reported_on or body.enrolled_on
    ahead = Outlook(stage=body.stage or UNSET, next_visit_on=body.next_visit_on or UNSET)
    # Of a row with a visit, stage and day are the visit's.
    ahead = msgspec.structs.replace(Outlook() if told_visit else ahead, reported_on=body.reported_on)
    said: list[Said] = [BodySaid(on=on, body=body, outlook=ahead, adds=True)]
    if told_visit is not None:
        visit_id = visit_of_day(enrolment_id, told_visit.visited_on)
        kept = met(before, told_visit, visit_id)
        if before is None or all(
            (one.visit_id, one.body) != (kept.visit_id, kept.body) for one in before.visits
        ):
            said.append(kept)
    if told.end is not None:
        said.append(EndSaid(told.end))
    return said


def told_by(row: Row, frequency: str, reported_on: str) -> Told:
    """What a row says. Raises BadInputError with the columns that are wrong."""
    faults: list[Reason] = []
    person = person_of(row, faults)
    days = {name: _day(row, name, faults) for name in _DAYS}
    programme = _coded(row, "programme", _PROGRAMMES, faults)
    reason = _coded(row, "end_reason", _ENDINGS, faults) if row.text("end_reason") else None
    if any(row.text(name) for name in _OF_VISIT) and days["visited_on"] is None:
        faults.append(Reason("missing-field", "visited_on"))
    if (days["ended_on"] is None) != (reason is None):
        faults.append(Reason("missing-field", "ended_on" if reason else "end_reason"))
    if faults:
        raise BadInputError(faults)
    numbers = [EntryNumber(kind=kind, value=value) for kind, value in person.identifiers]
    who = EntryPerson(
        numbers=numbers,
        name=person.name or "",
        birth_date=person.birth_date or "",
        sex=person.sex or "unknown",
    )
    body: dict[str, object] = {
        "person": msgspec.to_builtins(who),
        "programme": programme,
        "enrolled_on": days["enrolled_on"],
        "register_number": row.text("register_number"),
        "stage": row.text("stage") or None,
        "next_visit_on": days["next_visit_on"],
        "frequency": frequency,
        "reported_on": reported_on,
    }
    if programme == "pregnancy":
        body["pregnancy"] = {name: days[name] for name in ("last_period_on", "due_on") if days[name]}
    end = {"reason": reason, "ended_on": days["ended_on"]} if reason else None
    return Told(
        _convert(body, EnrolmentBody),
        _convert(_visit(row, days, reported_on), VisitBody) if days["visited_on"] else None,
        _convert(end, EndBody) if end else None,
    )


_DAYS: Final = ("enrolled_on", "visited_on", "next_visit_on", "last_period_on", "due_on", "ended_on")


def _visit(row: Row, days: dict[str, str | None], reported_on: str) -> dict[str, object]:
    signs = {name: row.text(name).replace(",", ".") for name in _SIGNS if row.text(name)}
    dose = row.text("tetanus")
    return {
        "visited_on": days["visited_on"],
        "next_visit_on": days["next_visit_on"],
        "stage": row.text("stage") or None,
        "advice": row.text("advice") or None,
        "vital_signs": signs or None,
        "tetanus": {"number": int(dose) if dose.isdecimal() else dose} if dose else None,
        "reported_on": reported_on,
    }


def _day(row: Row, column: str, faults: list[Reason]) -> str | None:
    """A whole day, as people write it or as programs do."""
    text = row.text(column)
    day = fhir_day(text) if text else None
    if text and (day is None or len(day) != 10):
        faults.append(Reason("bad-date", column))
        return None
    return day


def _coded(row: Row, column: str, known: Mapping[str, str], faults: list[Reason]) -> str | None:
    found = known.get(fold(row.text(column)))
    if found is None:
        faults.append(Reason("bad-code", column))
    return found


Body = TypeVar("Body", EnrolmentBody, VisitBody, EndBody)


def _convert(told: Mapping[str, object], type_: type[Body]) -> Body:
    try:
        return msgspec.convert(told, type_)
    except msgspec.ValidationError as error:
        _, found, path = str(error).rpartition("`$")
        place = column_of(path.rstrip("`")) if found else "row"
        raise BadInputError([Reason("bad-value", place)]) from None


def column_of(where: str) -> str:
    """The column of a place: `visits[3].visited_on` is `visited_on`."""
    last = where.rpartition(".")[2].partition("[")[0]
    return _COLUMN_OF.get(last, last) or "row"
