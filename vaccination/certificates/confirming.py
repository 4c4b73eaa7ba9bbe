"""Doses that came late or by another system: a second account of the facility says that one is true
(security.md S28)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from ehr.paper_proofs.service import holder_of
from identity.models import Demographics
from identity.people import demographics
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.certificates import queries
from vaccination.certificates.eligibility import CONFIRMABLE, why_not
from vaccination.certificates.evidence import Judged, judge, judged_dose, said_sha256, standing_doses
from vaccination.certificates.models import ConfirmationList, Owned, ToConfirm
from vaccination.certificates.problems import CONFIRMATION_UNKNOWN, CONFIRMED_BY_SENDER
from vaccination.certificates.queries import AskedRow

LISTED_MAX: Final = 100
# Two operators who checked a file of a whole system.
OPERATORS: Final = UUID(int=0)


async def list_asked(
    tx: Tx, keys: KeyRing, actor: Actor, *, request_id: str, now: datetime
) -> ConfirmationList:
    """What the facility sent late and is asked about, oldest first: its own words, and of the person what
    tells two people apart. Each stands in the person's log."""
    assert actor.facility_id is not None
    items = []
    for row in await queries.ASKED.all(tx, actor.facility_id, LISTED_MAX):
        found = await _asked(tx, row, now)
        if found is None:
            continue
        book, judged = found
        known = await demographics(tx, keys, book) or Demographics()
        await _log(tx, book, judged, actor, "vaccination:confirmation:read", request_id, now)
        items.append(_shown(row, judged, known))
    return ConfirmationList(items=items)


async def confirm(
    tx: Tx, actor: Actor, confirmation_id: UUID, *, request_id: str, now: datetime
) -> Refused | None:
    """Say that a late dose is true as it stands. Refused: confirmation-unknown, confirmed-by-sender."""
    assert actor.facility_id is not None
    row = await queries.ASKED_ONE.one(tx, actor.facility_id, confirmation_id)
    found = None if row is None else await _asked(tx, row, now)
    if row is None or found is None:
        return Refused(problem=CONFIRMATION_UNKNOWN)
    book, judged = found
    if judged.credential in (str(actor.actor_id), str(actor.practitioner_role_id)):
        return Refused(problem=CONFIRMED_BY_SENDER)
    await _keep(tx, judged, actor.facility_id, actor.actor_id, now)
    await queries.ANSWER.run(tx, actor.facility_id, confirmation_id, now)
    await _log(tx, book, judged, actor, "vaccination:confirmation:create", request_id, now)
    return None


async def confirm_all(tx: Tx, book: UUID, facility_id: UUID, now: datetime) -> int:
    """Confirm every dose of one book that was sent late or passed on and that the facility gave; how many.
    For two operators."""
    doses = [dose for dose in await standing_doses(tx, book) if dose.facility_id == facility_id]
    late = [
        one
        for one in await judge(tx, book, doses, now)
        if CONFIRMABLE & set(why_not(one.dose, one.evidence, now))
    ]
    for one in late:
        await _keep(tx, one, facility_id, OPERATORS, now)
    return len(late)


async def _asked(tx: Tx, row: AskedRow, now: datetime) -> tuple[UUID, Judged] | None:
    """The dose and its book, where it still says what was asked about."""
    owned = Owned(patient_id=row.patient_id, dose_id=row.dose_id)
    book, judged = await judged_dose(tx, owned, now)
    is_same = judged is not None and said_sha256(judged.dose) == row.said_sha256
    return (book, judged) if judged is not None and is_same else None


async def _keep(tx: Tx, judged: Judged, facility_id: UUID, by: UUID, now: datetime) -> None:
    owned, said = judged.owned, said_sha256(judged.dose)
    await queries.CONFIRM.one(tx, owned.patient_id, owned.dose_id, said, facility_id, by, now)


async def _log(
    tx: Tx, book: UUID, judged: Judged, actor: Actor, action: str, request_id: str, now: datetime
) -> None:
    about = [("Immunization", judged.dose.immunization_id)]
    await record_act(tx, book, actor, action, resources=about, request_id=request_id, now=now)


def _shown(row: AskedRow, judged: Judged, known: Demographics) -> ToConfirm:
    dose = judged.dose
    return ToConfirm(
        confirmation_id=row.confirmation_id,
        person=holder_of(known),
        vaccine=dose.title,
        given=dose.given,
        lot=dose.lot,
        dose_number=dose.dose_number,
        said_at=judged.evidence.said_at,
        asked_at=row.asked_at,
    )
