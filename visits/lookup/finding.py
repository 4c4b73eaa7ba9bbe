"""Whose a number is now, and a stand-in for one that nobody has (security.md S19)."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from identity import people, phones
from identity.identifiers import normal_identifier, normal_phone
from identity.merges.aliases import book_to_tell
from identity.models import IdentifierRow
from identity.policy import identifier_in_force
from kernel.ids import uuid8
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing
from visits.lookup.models import CANDIDATES_MAX, LookUp, Outcome

_INSURANCE_DIGITS: Final = 10


class Found(Struct, frozen=True):
    """people: stand-ins too, so that nobody costs what somebody costs."""

    outcome: Outcome
    people: list[UUID]


async def find(tx: Tx, keys: KeyRing, asked: LookUp, now: datetime) -> Found:
    """Whose book a number leads to; a stand-in where it leads to nobody."""
    if asked.kind == "phone":
        return await _by_phone(tx, keys, asked.value, now)
    normal = normal_identifier(asked.kind, asked.value)
    if normal is None:
        return Found("bad-form", [])
    owner = await people.number_owner(tx, keys, asked.kind, normal)
    if asked.kind == "insurance-card":
        # Its letters say which benefits, its last ten digits whose it is.
        bare = await people.number_owner(tx, keys, "insurance-number", normal[-_INSURANCE_DIGITS:])
        owner = owner if _leads(owner, now) else bare or owner
    whose = owner.patient_id if owner is not None and _leads(owner, now) else _stand_in(keys, normal)
    # A survivor of a merge is shown once that one sees the rows of whose number it was (security.md S10).
    told = await book_to_tell(tx, whose, now)
    return Found("found" if _leads(owner, now) else "unknown", [told])


async def _by_phone(tx: Tx, keys: KeyRing, value: str, now: datetime) -> Found:
    number = normal_phone(value)
    if number is None:
        return Found("bad-form", [])
    found = sorted(await phones.people_signing_in_with(tx, keys, number, now))
    if len(found) > CANDIDATES_MAX:
        return Found("too-many", [])
    return Found("found" if found else "unknown", found or [_stand_in(keys, number)])


def _leads(owner: IdentifierRow | None, now: datetime) -> bool:
    return owner is not None and identifier_in_force(owner, now)


def _stand_in(keys: KeyRing, normal: str) -> UUID:
    _, hashed = lookup_hashes(keys, "look-up", normal)[0]
    return uuid8(hashlib.sha256(b"nobody" + hashed).digest())
