"""Masking the name of a protected practitioner wherever a person's log leaves (security.md S27).

The mask lies over what is shown: rows, chain and proofs stay as they are, before, under and after it.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from audit.models import Entry, LogRow
from audit.protection import queries
from audit.protection.models import Protection, Shown
from store.database import Tx
from store.keys import KeyRing

PROTECTION_LIFE: Final = timedelta(days=365)
# Two people renew it: they need to meet.
TOLD_BEFORE: Final = timedelta(days=30)
# Crockford's base32: nothing that is read aloud wrong. 40 bits.
_SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SIGNS_COUNT: Final = 8


async def protect(tx: Tx, practitioner_id: UUID, now: datetime) -> None:
    """Protect for a year from now; again renews."""
    await queries.PROTECT.run(tx, practitioner_id, now, now + PROTECTION_LIFE)


async def end_protection(tx: Tx, practitioner_id: UUID, now: datetime) -> bool:
    """True if there was one in force."""
    return await queries.END.one(tx, practitioner_id, now) is not None


async def protections(tx: Tx, practitioner_ids: Sequence[UUID], now: datetime) -> list[Protection]:
    """Those of them in force, the one that ends first before the others."""
    return await queries.PROTECTIONS.all(tx, list(practitioner_ids), now)


async def ending(tx: Tx, now: datetime, limit: int) -> list[Protection]:
    """Those that end within TOLD_BEFORE, the first to end before the others."""
    return await queries.ENDING.all(tx, now, now + TOLD_BEFORE, limit)


async def unmask(
    tx: Tx, patient_id: UUID, practitioner_id: UUID, report_id: UUID, by: UUID, now: datetime
) -> bool:
    """Name the practitioner to this one person from now on. False if that was so already."""
    return await queries.UNMASK.one(tx, patient_id, practitioner_id, report_id, by, now) is not None


def alias_of(keys: KeyRing, patient_id: UUID, practitioner_id: UUID) -> str:
    """The same for one person at all times, another for every other person: 'K7Q2-9T4M'."""
    key = keys.first_secret("alias")
    sum_ = int.from_bytes(hmac.digest(key, patient_id.bytes + practitioner_id.bytes, hashlib.sha256)[:5])
    signs = "".join(_SIGNS[sum_ >> 5 * place & 31] for place in reversed(range(_SIGNS_COUNT)))
    return f"{signs[:4]}-{signs[4:]}"


async def aliases(
    tx: Tx, keys: KeyRing, patient_id: UUID, practitioner_ids: Iterable[UUID], now: datetime
) -> dict[UUID, str]:
    """Alias by id of those whom this person may not see by name; the others are not in it."""
    asked = set(practitioner_ids)
    if not asked:
        return {}
    masked = await queries.MASKED.all(tx, patient_id, list(asked), now)
    return {one: alias_of(keys, patient_id, one) for one in masked}


async def all_aliases(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> dict[UUID, str]:
    """Alias by id of everybody whom this person may not see by name: few, of the whole register."""
    masked = await queries.ALL_MASKED.all(tx, patient_id, now)
    return {one: alias_of(keys, patient_id, one) for one in masked}


async def shown(
    tx: Tx, keys: KeyRing, patient_id: UUID, rows: Sequence[LogRow], now: datetime
) -> list[Shown]:
    """Rows as their person may see them. Everything that shows or exports rows takes them from here."""
    entries = [msgspec.json.decode(row.entry, type=Entry) for row in rows]
    staff = {entry.actor.id for entry in entries if entry.actor.kind == "practitioner"}
    masks = await aliases(tx, keys, patient_id, staff, now)
    return [_masked(row, entry, masks.get(entry.actor.id)) for row, entry in zip(rows, entries, strict=True)]


def _masked(row: LogRow, entry: Entry, alias: str | None) -> Shown:
    if alias is None:
        return Shown(row, entry, None)
    bare = msgspec.structs.replace(row, actor_name=None, actor_licence=None, actor_salt=b"")
    return Shown(bare, entry, alias)
