"""Enrolling a person, recording visits, changing and ending: always by the facility that enrolled (S3).

What the facility said is kept sealed as its own paper (paper.py), and the unit in the book is made of what
stands of it anew with every change. The answer tells nothing of whom it is about (S19); what the gate stops
is refused whole, so that neither the book nor the paper has it.
"""

from collections.abc import Callable
from datetime import date
from typing import Final, NoReturn, TypeAlias
from uuid import UUID

import msgspec

from audit.service import record_act
from ehr.entry.service import Desk, log_unit, take_back
from ehr.intake import gate
from ehr.intake.gate import judge_plain
from ehr.intake.ids import name_uuid
from ehr.intake.models import BadInputError, Reason, Unit
from ehr.intake.problems import RECORDS_BUSY
from ehr.intake.queries import COUNT_WITHHELD
from ehr.intake.service import Sender, import_unit
from ehr.intake.units import Prepared, prepare
from ehr.programmes import queries
from ehr.programmes.mapping import key_of, unit_of
from ehr.programmes.models import (
    Author,
    EndBody,
    Enrolment,
    EnrolmentBody,
    EnrolmentReceipt,
    EnrolmentRow,
    EnrolmentShown,
    StageBody,
    VisitBody,
)
from ehr.programmes.paper import (
    ACTS_MAX,
    Act,
    AllTakenBack,
    BodySaid,
    EndSaid,
    Paper,
    Said,
    StageSaid,
    VisitSaid,
    VisitTakenBack,
    bodies_of,
    changes,
    fold,
    status_of,
)
from ehr.programmes.problems import (
    ENROLMENT_ENDED,
    ENROLMENT_EXISTS,
    ENROLMENT_NOT_FOUND,
    PROGRAMME_INVALID,
    PROGRAMME_WITHHELD,
    VISIT_NOT_FOUND,
)
from ehr.programmes.visits import met, visit_of_day
from identity import budgets
from identity.merges.aliases import book_to_tell
from identity.problems import IDENTIFIER_TAKEN
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import ProblemError, Refused, refuse
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing

REASONS_SHOWN: Final = 10
_TABLE: Final = "programme_enrolment"
REPORTED: Final = "ehr:programme:report"
Change: TypeAlias = Callable[[Enrolment], Said | Refused]


async def enrol(tx: Tx, keys: KeyRing, desk: Desk, body: EnrolmentBody) -> EnrolmentReceipt | Refused:
    """Follow a person from now on. Raises `programme-invalid` with the fields."""
    if (spent := await _charge(tx, desk)) is not None:
        return spent
    enrolment_id = _id_of(desk, body)
    said = BodySaid(on=body.enrolled_on, body=body, outlook=changes(body))
    paper = added(Paper([]), desk, said)
    made = await _prepare(tx, desk, enrolment_id, paper)
    if isinstance(made, Refused):
        return made
    if not await insert(tx, keys, desk, enrolment_id, paper):
        return Refused(problem=ENROLMENT_EXISTS)
    await take_in(tx, keys, desk, made, "ehr:programme:enrol")
    return EnrolmentReceipt(
        enrolment_id=enrolment_id,
        version=1,
        status="active",
        next_visit_on=body.next_visit_on,
        recorded_at=desk.now,
        changed_at=desk.now,
    )


def added(paper: Paper, desk: Desk, *said: Said) -> Paper:
    """The paper with what is said now."""
    author = Author(name=desk.actor.name, licence=desk.actor.licence)
    credential = desk.sender().credential
    acts = [Act(at=desk.now, credential=credential, author=author, said=one) for one in said]
    if len(paper.acts) + len(acts) > ACTS_MAX:
        raise BadInputError([Reason("too-many", "visits")])
    return Paper([*paper.acts, *acts])


async def insert(tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, paper: Paper) -> bool:
    """Keep a new enrolment before its unit is written; False where the register number stands already."""
    body = bodies_of(paper)[0]
    what = desk.facility.facility_id, enrolment_id, body.programme, _day_ahead(paper)
    account, sealed = desk.actor.actor_id, sealed_of(keys, enrolment_id, paper)
    return await queries.INSERT_ENROLMENT.one(tx, *what, desk.now, account, sealed) is not None


async def receipt_of(tx: Tx, desk: Desk, enrolment_id: UUID) -> EnrolmentReceipt | Refused:
    row = await queries.ENROLMENT_BY_ID.one(tx, desk.facility.facility_id, enrolment_id)
    return Refused(problem=ENROLMENT_NOT_FOUND) if row is None else row.receipt()


async def show(tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID) -> EnrolmentShown | Refused:
    """What this facility itself recorded. Where it is known whose book that is, the person's log says so."""
    row = await queries.ENROLMENT_BY_ID.one(tx, desk.facility.facility_id, enrolment_id)
    doc = fold(opened(keys, row)) if row else None
    if row is None or doc is None:
        return Refused(problem=ENROLMENT_NOT_FOUND)
    await note_shown(tx, desk, [row])
    return EnrolmentShown(receipt=row.receipt(), enrolment=doc)


async def note_shown(tx: Tx, desk: Desk, rows: list[EnrolmentRow]) -> None:
    """One line in the log of each person shown, in one order: two lists at once never wait in a ring."""
    shown = {row.patient_id for row in rows if row.patient_id is not None}
    for patient_id in sorted({await book_to_tell(tx, one, desk.now) for one in shown}):
        await record_act(
            tx, patient_id, desk.actor, "ehr:programme:read", request_id=desk.request_id, now=desk.now
        )


async def amend(
    tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, body: EnrolmentBody
) -> EnrolmentReceipt | Refused:
    """Replace what was said when the person was enrolled; visits stand. Programme and number stay."""

    def change(doc: Enrolment) -> Said:
        same = (body.programme, body.register_number) == (doc.body.programme, doc.body.register_number)
        if not same:
            refuse(PROGRAMME_INVALID, where="unexpected-change programme")
        return BodySaid(on=local_day(desk.now), body=body, outlook=changes(body, doc.body))

    return await _change(tx, keys, desk, enrolment_id, change, "ehr:programme:amend")


async def visit(
    tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, body: VisitBody
) -> EnrolmentReceipt | Refused:
    """Record a follow-up visit and the day to come next. A visit of that day that a file told of is the same
    one."""
    told = VisitSaid(visit_id=uuid7(desk.now), body=body)

    def change(doc: Enrolment) -> Said:
        nonlocal told
        told = met(doc, body, told.visit_id, only=visit_of_day(enrolment_id, body.visited_on))
        return told

    done = await _change(tx, keys, desk, enrolment_id, change, "ehr:programme:visit")
    return done if isinstance(done, Refused) else msgspec.structs.replace(done, visit_id=told.visit_id)


async def withdraw_visit(
    tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, visit_id: UUID
) -> EnrolmentReceipt | Refused:
    """Take back a visit that was typed in by mistake, with the stage and day that it set."""

    def change(doc: Enrolment) -> Said | Refused:
        if all(one.visit_id != visit_id for one in doc.visits):
            return Refused(problem=VISIT_NOT_FOUND)
        return VisitTakenBack(visit_id)

    return await _change(tx, keys, desk, enrolment_id, change, "ehr:programme:amend")


async def set_stage(
    tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, body: StageBody
) -> EnrolmentReceipt | Refused:
    said = StageSaid(on=local_day(desk.now), body=body)
    return await _change(tx, keys, desk, enrolment_id, lambda _: said, "ehr:programme:stage")


async def end(
    tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, body: EndBody
) -> EnrolmentReceipt | Refused:
    """Discharge, transfer, birth: the plan is closed and stands in the book with its end."""
    return await _change(tx, keys, desk, enrolment_id, lambda _: EndSaid(body), "ehr:programme:end")


async def withdraw(tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID) -> EnrolmentReceipt | Refused:
    """Take the whole enrolment back, for a person who was enrolled by mistake."""
    row = await _standing(tx, desk, enrolment_id)
    if isinstance(row, Refused):
        return row
    await take_back(tx, desk, key_of(enrolment_id), "ehr:programme:withdraw")
    return await keep(tx, keys, desk, enrolment_id, added(opened(keys, row), desk, AllTakenBack()))


def opened(keys: KeyRing, row: EnrolmentRow) -> Paper:
    text = unseal(keys, row.enrolment_id, _TABLE, "sealed", row.sealed)
    return msgspec.json.decode(text, type=Paper)


def sealed_of(keys: KeyRing, enrolment_id: UUID, paper: Paper) -> bytes:
    """Under the key of the enrolment: it belongs to nobody while the person is in quarantine."""
    return seal(keys, enrolment_id, _TABLE, "sealed", msgspec.json.encode(paper).decode())


def _day_ahead(paper: Paper) -> date | None:
    doc = fold(paper)
    return doc.body.next_visit_on if doc is not None and status_of(paper) == "active" else None


def _id_of(desk: Desk, body: EnrolmentBody) -> UUID:
    if body.register_number is None:
        return uuid7(desk.now)
    return register_id(desk.facility.facility_id, body.programme, body.register_number)


def register_id(facility_id: UUID, programme: str, number: str) -> UUID:
    """The same for the same register number: a file finds its enrolments by it."""
    return UUID(name_uuid(f"{facility_id}\nprogramme\n{programme}\n{number}"))


async def _charge(tx: Tx, desk: Desk) -> Refused | None:
    account = budgets.subject(desk.actor.actor_id.bytes)
    budget = budgets.ENTRIES_DAY if desk.actor.kind == "practitioner" else budgets.SYSTEM_ENTRIES_DAY
    return await budgets.charge_or_refuse(tx, budget, account, desk.now)


async def _standing(tx: Tx, desk: Desk, enrolment_id: UUID) -> EnrolmentRow | Refused:
    """The enrolment, locked; what was taken back stays so."""
    row = await queries.LOCK_ENROLMENT.one(tx, desk.facility.facility_id, enrolment_id)
    if row is None:
        return Refused(problem=ENROLMENT_NOT_FOUND)
    return Refused(problem=ENROLMENT_ENDED) if row.status == "withdrawn" else row


async def _change(
    tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, change: Change, action: str
) -> EnrolmentReceipt | Refused:
    """One change of an enrolment that runs; of one that ended only what was said wrong."""
    row = await _standing(tx, desk, enrolment_id)
    if isinstance(row, Refused):
        return row
    if row.status == "ended" and action != "ehr:programme:amend":
        return Refused(problem=ENROLMENT_ENDED)
    if (spent := await _charge(tx, desk)) is not None:
        return spent
    paper = opened(keys, row)
    try:
        said = change(_sure(paper))
        if isinstance(said, Refused):
            return said
        paper = added(paper, desk, said)
    except BadInputError as error:
        _refuse_reasons(error.reasons)
    made = await _prepare(tx, desk, enrolment_id, paper)
    if isinstance(made, Refused):
        return made
    await take_in(tx, keys, desk, made, action)
    return await keep(tx, keys, desk, enrolment_id, paper)


def _sure(paper: Paper) -> Enrolment:
    """What stands of an enrolment that was not taken back."""
    doc = fold(paper)
    assert doc is not None
    return doc


async def keep(tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, paper: Paper) -> EnrolmentReceipt:
    row = await queries.CHANGE_ENROLMENT.one(
        tx,
        desk.facility.facility_id,
        enrolment_id,
        status_of(paper),
        _day_ahead(paper),
        desk.now,
        desk.actor.actor_id,
        sealed_of(keys, enrolment_id, paper),
    )
    assert row is not None
    return row.receipt()


async def _prepare(tx: Tx, desk: Desk, enrolment_id: UUID, paper: Paper) -> "Made | Refused":
    """Raises `programme-invalid` with the fields."""
    try:
        return await prepare_unit(tx, desk, enrolment_id, paper)
    except BadInputError as error:
        _refuse_reasons(error.reasons)


async def prepare_unit(tx: Tx, desk: Desk, enrolment_id: UUID, paper: Paper) -> "Made | Refused":
    """Map and gate the whole enrolment. A hit is counted and told without its content; nothing is kept.

    Raises BadInputError with the fields.
    """
    sender, doc = desk.sender(), _sure(paper)
    unit = unit_of(doc, bodies_of(paper), enrolment_id, desk.facility.name, desk.now)
    prepared = prepare(unit, None, sender.source_id, desk.facility.name)
    person = doc.body.person
    told = "\n".join([person.name, *(number.value for number in person.numbers)])
    hits = prepared.withheld + len(prepared.review) + (judge_plain(told) != "keep")
    if hits:
        bucket = desk.hash_of(unit.key)[0]
        await COUNT_WITHHELD.run(tx, bucket, local_day(desk.now), gate.VERSION, hits)
        return Refused(problem=PROGRAMME_WITHHELD)
    return Made(unit, prepared, sender)


class Made(msgspec.Struct, frozen=True):
    """A unit that passed the gate."""

    unit: Unit
    prepared: Prepared
    sender: Sender


async def take_in(tx: Tx, keys: KeyRing, desk: Desk, made: Made, action: str) -> None:
    try:
        report = await import_unit(tx, keys, made.unit, made.prepared, made.sender, desk.now)
    except ProblemError as error:
        if error.refused.problem is not IDENTIFIER_TAKEN:
            raise
        # A number taken in between would tell that somebody has it (S19).
        refuse(RECORDS_BUSY)
    if report.status == "rejected":
        _refuse_reasons(report.reasons)
    await log_unit(tx, desk, report, made.prepared, action)


def _refuse_reasons(reasons: list[Reason]) -> NoReturn:
    places = "; ".join(f"{reason.code} {reason.where}" for reason in reasons[:REASONS_SHOWN])
    refuse(PROGRAMME_INVALID, where=places)
