"""Setting aside: sealed under an id of its own, since it belongs to nobody yet; every act leaves an event."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.intake.rules import RULES_NUMBER
from ehr.quarantine import queries
from ehr.quarantine.models import Act, Kind
from ehr.quarantine.queries import KeptRow, WaitingRow
from kernel.access import Actor
from kernel.ids import uuid7
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing

Body = TypeVar("Body", bound=Struct)


class Origin(Struct, frozen=True, kw_only=True):
    """Whose sending it was, as authenticated, and where in it."""

    id_hash: bytes
    facility_id: UUID | None
    credential: str
    batch: UUID | None
    unit: str


async def keep(
    tx: Tx, keys: KeyRing, origin: Origin, kind: Kind, reason: str, body: Struct, now: datetime
) -> UUID:
    """Set one thing aside. Returns its id."""
    quarantine_id = _id_of(origin.id_hash, now)
    await queries.INSERT.run(
        tx,
        bucket_of_waiting(quarantine_id),
        quarantine_id,
        origin.id_hash,
        origin.facility_id,
        origin.credential,
        kind,
        reason,
        now,
        origin.batch,
        origin.unit,
        RULES_NUMBER,
        seal_body(keys, quarantine_id, body),
    )
    return quarantine_id


def _id_of(id_hash: bytes, now: datetime) -> UUID:
    """Ordered by time; its last byte tells the bucket."""
    return UUID(bytes=uuid7(now).bytes[:15] + id_hash[:1])


def bucket_of_waiting(quarantine_id: UUID) -> int:
    return quarantine_id.bytes[15]


def seal_body(keys: KeyRing, quarantine_id: UUID, body: Struct) -> bytes:
    text = msgspec.json.encode(body).decode()
    return seal(keys, quarantine_id, "ehr_quarantine", "body", text)


def open_body(keys: KeyRing, row: KeptRow, type_: type[Body]) -> Body:
    text = unseal(keys, row.quarantine_id, "ehr_quarantine", "body", row.body)
    return msgspec.json.decode(text, type=type_)


async def note(
    tx: Tx, row: KeptRow | WaitingRow, act: Act, now: datetime, *, actor: Actor | None = None, code: str = ""
) -> None:
    """One event of what waits or waited: who did what, never what it said."""
    await queries.INSERT_EVENT.run(
        tx,
        bucket_of_waiting(row.quarantine_id),
        row.quarantine_id,
        uuid7(now),
        now,
        act,
        code,
        row.facility_id,
        row.unit,
        row.batch,
        actor.actor_id if actor else None,
        actor.practitioner_role_id if actor else None,
    )
