"""Numbers that are attached later, replaced or cancelled, after two registry officers agreed.

A replaced number leads to its person for care up to its last day and verifies nothing new (vietnam.md). From
an attached number on, what was enrolled before is held until it is proven again with that card (security.md
S10): else a number put on a record would open what comes in under it to whoever had the record.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

from identity import people
from identity.identifiers import normal_identifier
from identity.numbers import queries
from identity.problems import IDENTIFIER_INVALID
from identity.registry.models import EndedNumberBody, NumberBody
from identity.registry.problems import NUMBER_NOT_OWN, NUMBER_OF_ANOTHER
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing
from store.outbox import emit

_ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)


async def attach(
    tx: Tx, keys: KeyRing, act_id: UUID, body: NumberBody, facility_id: UUID, now: datetime
) -> Refused | None:
    """The person has this number from valid_from on. A number live on somebody else is a merge."""
    normal = normal_identifier(body.kind, body.value)
    if normal is None:
        return Refused(problem=IDENTIFIER_INVALID, where="value")
    owner = await people.number_owner(tx, keys, body.kind, normal)
    if owner is not None and owner.patient_id != body.patient_id:
        return Refused(problem=NUMBER_OF_ANOTHER, where="value")
    if body.replaces is not None:
        ended = await _end(
            tx,
            keys,
            body.patient_id,
            body.kind,
            body.replaces,
            "replaced",
            body.valid_from - timedelta(days=1),
        )
        if ended is not None:
            return ended
    await people.verify_identifier(tx, keys, body.patient_id, body.kind, normal, facility_id, now)
    for _, id_hash in lookup_hashes(keys, body.kind, normal):
        await queries.SET_VALIDITY.run(tx, id_hash, body.kind, body.patient_id, body.valid_from)
        await queries.SET_OWN_VALIDITY.run(tx, body.patient_id, body.kind, id_hash, body.valid_from)
    await queries.INSERT_HOLD.run(tx, body.patient_id, uuid7(now), act_id, _ALWAYS, now)
    await emit(tx, body.patient_id, "identity.number-changed", {"act_id": str(act_id)}, now)
    return None


async def cancel(tx: Tx, keys: KeyRing, act_id: UUID, body: EndedNumberBody, now: datetime) -> Refused | None:
    """The number ends on valid_until and stays with its person for older files."""
    refused = await _end(tx, keys, body.patient_id, body.kind, body.value, "cancelled", body.valid_until)
    if refused is None:
        await emit(tx, body.patient_id, "identity.number-changed", {"act_id": str(act_id)}, now)
    return refused


async def _end(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    kind: str,
    value: str,
    status: Literal["replaced", "cancelled"],
    until: date,
) -> Refused | None:
    normal = normal_identifier(kind, value)
    if normal is None:
        return Refused(problem=IDENTIFIER_INVALID, where="value")
    ended = False
    for _, id_hash in lookup_hashes(keys, kind, normal):
        found = await queries.END_NUMBER.one(tx, id_hash, kind, patient_id, status, until)
        await queries.END_OWN_NUMBER.run(tx, patient_id, kind, id_hash, status, until)
        ended = ended or found is not None
    return None if ended else Refused(problem=NUMBER_NOT_OWN, where="value")
