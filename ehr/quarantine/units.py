"""Units whose person was not certain: officers compare, then place them, or return them to their sender.

Placing one at a person whose data differ overrules the match (security.md S17), so it takes two officers of
different facilities like every change of who is who (S10); so does taking one away from the person whom it
was written to before. A new person gets none of the numbers that somebody has: a number live on another
person is always a merge. After a merge a number still names its own person, as it does for an import: what is
placed there is guarded like that person's other rows.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from audit.service import record_act, record_admin_event
from ehr.intake.counting import Counts, count
from ehr.intake.queries import CLAIM_UNIT
from ehr.intake.receipts import mark_returned
from ehr.intake.service import Owner, Sender, claim_of, write_for
from ehr.intake.units import prepare
from ehr.quarantine import queries
from ehr.quarantine.keeping import bucket_of_waiting, note, open_body
from ehr.quarantine.models import (
    Act,
    Comparison,
    KeptUnit,
    Kind,
    Known,
    Presented,
    ReturnCode,
    Returned,
    Waiting,
    Worked,
)
from ehr.quarantine.problems import NOT_A_CANDIDATE, NOT_WAITING, SECOND_OFFICER_NEEDED
from ehr.quarantine.queries import EventRow, KeptRow, WaitingRow
from ehr.rows.service import mark_row_returned
from identity import budgets
from identity.models import Facility
from identity.people import create_person, number_owner, person_card
from identity.policy import identifier_in_force
from identity.register.facilities import facility_by_id
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused, refuse
from store.database import Tx
from store.keys import KeyRing

START = UUID(int=0)
PROPOSAL_LIFE = timedelta(days=7)


async def list_waiting(
    tx: Tx, kind: Kind, facility_id: UUID | None, after: UUID, limit: int
) -> list[Waiting]:
    """What waits, oldest first: no person and no content. facility_id: of one sender only."""
    rows = await queries.WAITING.all(tx, kind, after, facility_id, limit)
    names = await _names(tx, {row.facility_id for row in rows if row.facility_id})
    return [waiting_of(row, names) for row in rows]


async def list_returned(tx: Tx, facility_id: UUID, after: UUID, limit: int) -> list[tuple[UUID, Returned]]:
    """What officers sent back to a facility, oldest first, each with the id to go on from."""
    rows = await queries.RETURNED.all(tx, facility_id, after, limit)
    return [
        (
            row.event_id,
            Returned(
                quarantine_id=row.quarantine_id,
                returned_at=row.happened_at,
                receipt_id=row.batch,
                unit=row.unit,
                code=row.code,
            ),
        )
        for row in rows
    ]


async def compare(
    tx: Tx, keys: KeyRing, actor: Actor, quarantine_id: UUID, reason: str, request_id: str, now: datetime
) -> Comparison | Refused:
    """What was presented beside the people who have one of its numbers; each of them is told in their log.

    Charged like a look-up: whoever sends guessed numbers would read in it whose they are (S19).
    """
    row = await kept(tx, quarantine_id, "unit")
    if row is None:
        return Refused(problem=NOT_WAITING)
    spent = await budgets.charge_or_refuse(
        tx, budgets.REGISTRY_LOOK_UPS_DAY, budgets.subject(actor.actor_id.bytes), now
    )
    if spent is not None:
        return spent
    person = open_body(keys, row, KeptUnit).unit.person
    known = await _known(tx, keys, row, person.identifiers, now)
    await sign(tx, actor, row, "viewed", reason, now)
    for one in known:
        await _log(tx, one.patient_id, actor, "quarantine:person:read", request_id, now)
    return Comparison(
        waiting=waiting_of(row, await _names(tx, {row.facility_id} if row.facility_id else set())),
        presented=Presented(
            name=person.name,
            birth_date=person.birth_date,
            sex=person.sex,
            newborn=person.newborn,
            mother_number=person.mother_number,
            identifiers=[(kind, value) for kind, value in person.identifiers],
        ),
        known=known,
    )


async def resolve(
    tx: Tx,
    keys: KeyRing,
    quarantine_id: UUID,
    patient_id: UUID | None,
    actor: Actor,
    reason: str,
    request_id: str,
    now: datetime,
) -> Worked | Refused:
    """Place a unit at a person (None: at a new one), as the import would have written it; whoever had it
    before has it no more.

    The first officer proposes the person, a second one of another facility agrees; one is enough for a new
    person where nobody had the unit and nothing was proposed. Raises `not-waiting` when a sending of the same
    unit came in between.
    """
    row = await kept(tx, quarantine_id, "unit")
    if row is None:
        return Refused(problem=NOT_WAITING)
    kept_unit = open_body(keys, row, KeptUnit)
    if patient_id is not None:
        known = await _known(tx, keys, row, kept_unit.unit.person.identifiers, now)
        if patient_id not in {one.patient_id for one in known}:
            return Refused(problem=NOT_A_CANDIDATE)
    before = await queries.UNIT_OWNER.one(tx, row.id_hash)
    if patient_id is not None or before is not None or row.proposed_by is not None:
        agreed = await _agree(tx, row, patient_id, actor, reason, now)
        if agreed is not None:
            return agreed
    placed = await _place(tx, keys, row, kept_unit, patient_id, now)
    await sign(tx, actor, row, "resolved", reason, now)
    await _log(tx, placed, actor, "quarantine:unit:resolve", request_id, now)
    await tally(tx, row, Counter({("resolved", row.reason): 1}), now)
    return Worked(state="resolved")


async def _agree(
    tx: Tx, row: KeptRow, patient_id: UUID | None, actor: Actor, reason: str, now: datetime
) -> Worked | Refused | None:
    """None when the second officer agrees; else the proposal is noted, or refused to its own maker.

    Nobody of the facility that sent the unit is one of the two: it would give the file and half of the say.
    """
    if row.facility_id is not None and row.facility_id == actor.facility_id:
        return Refused(problem=SECOND_OFFICER_NEEDED)
    if row.proposed_patient_id == patient_id and await _is_proposed(tx, row, now):
        if row.proposed_by == actor.actor_id or row.proposed_from == actor.facility_id:
            return Refused(problem=SECOND_OFFICER_NEEDED)
        return None
    await queries.PROPOSE.run(
        tx,
        bucket_of_waiting(row.quarantine_id),
        row.quarantine_id,
        patient_id,
        actor.actor_id,
        actor.facility_id,
    )
    await sign(tx, actor, row, "proposed", reason, now)
    return Worked(state="proposed")


async def _is_proposed(tx: Tx, row: KeptRow, now: datetime) -> bool:
    """Whether a proposal stands: it ends like every act of the registry."""
    if row.proposed_by is None:
        return False
    at = await queries.PROPOSED_AT.one(tx, bucket_of_waiting(row.quarantine_id), row.quarantine_id)
    return at is not None and at > now - PROPOSAL_LIFE


async def events_of(tx: Tx, quarantine_id: UUID) -> list[EventRow]:
    """Who looked at it, proposed, placed or returned it, oldest first."""
    return await queries.EVENTS.all(tx, bucket_of_waiting(quarantine_id), quarantine_id)


async def _place(
    tx: Tx, keys: KeyRing, row: KeptRow, kept_unit: KeptUnit, patient_id: UUID | None, now: datetime
) -> UUID:
    """Import the kept unit at its person by today's rules of the gate. Returns whose it is."""
    sender = await sender_of(tx, row)
    nobody = uuid7(now)
    holder = await CLAIM_UNIT.one(tx, row.id_hash, nobody, now)
    if not await drop(tx, row.quarantine_id):
        refuse(NOT_WAITING)
    unit = kept_unit.unit
    name = sender.facility.name if sender.facility else None
    prepared = prepare(unit, None, sender.source_id, name)
    created = patient_id is None
    if patient_id is None:
        patient_id = await _new_person(tx, keys, kept_unit, sender, now)
    before = None if holder in (nobody, patient_id) else holder
    owner = Owner(patient_id, before, created=created)
    await write_for(tx, keys, unit, prepared, sender, owner, row.id_hash, now)
    counts: Counts = Counter({("document", kind): 1 for kind in unit.documents})
    await count(tx, row.facility_id, sender.batch, counts, now)
    return patient_id


async def _new_person(tx: Tx, keys: KeyRing, kept_unit: KeptUnit, sender: Sender, now: datetime) -> UUID:
    claim = claim_of(kept_unit.unit.person)
    free = [
        one
        for one in claim.identifiers
        if await number_owner(tx, keys, one.system_kind, one.value, sender.facility_id) is None
    ]
    claim = msgspec.structs.replace(claim, identifiers=free)
    return await create_person(tx, keys, claim, "import", sender.facility_id, now)


async def return_to_sender(
    tx: Tx,
    quarantine_id: UUID,
    code: ReturnCode,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Worked | Refused:
    """Delete a unit and tell its sender, in the receipt, what to look at again."""
    row = await kept(tx, quarantine_id, "unit")
    if row is None or not await drop(tx, quarantine_id):
        return Refused(problem=NOT_WAITING)
    if row.batch is not None:
        await mark_returned(tx, row.credential, row.batch, row.unit, code)
        if row.facility_id is not None:
            await mark_row_returned(tx, row.facility_id, row.batch, row.unit, code)
    await sign(tx, actor, row, "returned", reason, now, code=code)
    await tally(tx, row, Counter({("returned", code): 1}), now)
    return Worked(state="returned")


async def _known(
    tx: Tx, keys: KeyRing, row: KeptRow, identifiers: Iterable[tuple[str, str]], now: datetime
) -> list[Known]:
    """The people who have one of the numbers by themselves, merged or not, and the one whom the unit was
    written to before."""
    kinds: dict[UUID, list[str]] = {}
    for kind, value in identifiers:
        owner = await number_owner(tx, keys, kind, value, row.facility_id)
        if owner is not None and identifier_in_force(owner, now):
            kinds.setdefault(owner.patient_id, []).append(kind)
    before = await queries.UNIT_OWNER.one(tx, row.id_hash)
    if before is not None:
        kinds.setdefault(before, []).append("earlier-sending")
    found: list[Known] = []
    for patient_id, listed in sorted(kinds.items()):
        card = await person_card(tx, keys, patient_id)
        if card is not None:
            found.append(
                Known(
                    patient_id=patient_id,
                    kinds=listed,
                    name=card.name,
                    birth_date=card.birth_date,
                    sex=card.sex,
                )
            )
    return found


async def kept(tx: Tx, quarantine_id: UUID, kind: Kind) -> KeptRow | None:
    """What waits under an id. Unlocked: a sending takes the unit first, then what waits of it (`drop`)."""
    return await queries.KEPT_BY_ID.one(tx, bucket_of_waiting(quarantine_id), quarantine_id, kind)


async def drop(tx: Tx, quarantine_id: UUID) -> bool:
    return await queries.DROP.one(tx, bucket_of_waiting(quarantine_id), quarantine_id) is not None


async def sender_of(tx: Tx, row: KeptRow) -> Sender:
    """Who sent it, as it was authenticated then."""
    facility: Facility | None = None
    if row.facility_id is not None:
        facility = await facility_by_id(tx, row.facility_id)
        assert facility is not None
    return Sender(facility, row.credential, row.batch or row.quarantine_id)


async def sign(
    tx: Tx, actor: Actor, row: KeptRow, act: Act, reason: str, now: datetime, *, code: str = ""
) -> None:
    """An act of an officer by name: the event here, and who and why in the operators' chain (S26)."""
    await note(tx, row, act, now, actor=actor, code=code)
    await record_admin_event(tx, f"{actor.name} ({actor.actor_id})", f"quarantine:{act}", reason, 1, now)


async def tally(tx: Tx, row: KeptRow, counts: Counts, now: datetime) -> None:
    await count(tx, row.facility_id, row.batch or row.quarantine_id, counts, now)


async def _log(tx: Tx, patient_id: UUID, actor: Actor, action: str, request_id: str, now: datetime) -> None:
    await record_act(tx, patient_id, actor, action, request_id=request_id, now=now)


async def _names(tx: Tx, facilities: set[UUID]) -> dict[UUID, str]:
    found = [await facility_by_id(tx, facility_id) for facility_id in sorted(facilities)]
    return {facility.facility_id: facility.name for facility in found if facility}


def waiting_of(row: WaitingRow | KeptRow, names: dict[UUID, str]) -> Waiting:
    return Waiting(
        quarantine_id=row.quarantine_id,
        facility_id=row.facility_id,
        facility_name=names.get(row.facility_id) if row.facility_id else None,
        received_at=row.received_at,
        reason=row.reason,
        unit=row.unit,
        receipt_id=row.batch,
        proposed=row.proposed_by is not None,
    )
