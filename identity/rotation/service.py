"""Moving look-up hashes to the current key (security.md S15).

The shard value of a row cannot change, so a rotation inserts the new rows of everybody first and
deletes the old ones afterwards: a look-up tries the current version, then the one before, and
finds the person at every moment. Run it once every process uses the new key.
"""

from datetime import datetime
from uuid import UUID

from identity import queries as people
from identity.models import PhoneRow
from identity.phones import phone_hashes
from identity.rotation import queries
from identity.rotation.models import HashedNumber
from store.database import Tx
from store.fields import LOOKUP_VERSIONS, lookup_hashes, unseal
from store.keys import FIRST_ID, KeyRing

PAGE = 200
# Of so many one in two thousand that nobody finds is seen but for once in a hundred looks.
SAMPLE = 10_000


async def people_after(tx: Tx, last: UUID) -> list[UUID]:
    """The next page of all people."""
    return await queries.PEOPLE_AFTER.all(tx, last, PAGE)


async def count_people(tx: Tx) -> int:
    """How many `people_after` walks over."""
    return await queries.COUNT_PEOPLE.one(tx) or 0


async def count_under_lookup(tx: Tx, key_id: str) -> int:
    """How many hashes are found under a look-up key alone."""
    return await queries.UNDER_LOOKUP.one(tx, key_id) or 0


async def untried_lookups(tx: Tx, keys: KeyRing) -> list[str]:
    """Look-up keys that no look-up tries and people stand under: a backup brought them back from before the
    key went. By a sample of each index: all of a country's rows would take minutes."""
    tried = [version for version, _ in keys.secrets("lookup")[:LOOKUP_VERSIONS]]
    return await queries.OTHERS_IN_SAMPLE.all(tx, tried, SAMPLE)


async def count_under_pepper(tx: Tx, key_id: str) -> int:
    """How many PINs and passwords were hashed with a pepper, and neither chosen anew nor used since."""
    return await queries.UNDER_PEPPER.one(tx, "" if key_id == FIRST_ID else key_id) or 0


async def insert_current(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> None:
    """First round: the person is found under the current key too."""
    for number in await queries.NUMBERS.all(tx, patient_id):
        version, id_hash = _current(keys, patient_id, number)
        owner = await people.IDENTIFIER_OWNER.one(tx, number.id_hash, number.kind)
        if id_hash == number.id_hash or owner is None or owner.patient_id != patient_id:
            continue
        await people.CLAIM_IDENTIFIER.one(
            tx,
            id_hash,
            number.kind,
            version,
            patient_id,
            owner.state,
            owner.valid_from,
            owner.valid_until,
            now,
        )
    for phone in await people.PHONES_OF_PERSON.all(tx, patient_id):
        if phone.role == "contact":
            continue
        version, phone_hash = _current_phone(keys, patient_id, phone)
        await people.INSERT_PHONE_LOOKUP.run(tx, phone_hash, patient_id, version)


async def delete_previous(tx: Tx, keys: KeyRing, patient_id: UUID) -> int:
    """Second round, after everybody's first: the old rows go. Returns how many hashes moved."""
    moved = 0
    for number in await queries.NUMBERS.all(tx, patient_id):
        version, id_hash = _current(keys, patient_id, number)
        if id_hash != number.id_hash:
            await _move_number(tx, patient_id, number, version, id_hash)
            moved += 1
    for phone in await people.PHONES_OF_PERSON.all(tx, patient_id):
        _, phone_hash = _current_phone(keys, patient_id, phone)
        if phone_hash != phone.phone_hash:
            await _move_phone(tx, patient_id, phone, phone_hash)
            moved += 1
    return moved


async def _move_number(tx: Tx, patient_id: UUID, number: HashedNumber, version: str, id_hash: bytes) -> None:
    place = (patient_id, number.kind, number.id_hash)
    if await queries.MOVE_NUMBER.one(tx, *place, id_hash, version) is None:
        await queries.DELETE_NUMBER.run(tx, *place)  # it was reported again under the new key
    await queries.DELETE_IDENTIFIER.run(tx, number.id_hash, number.kind, patient_id)


async def _move_phone(tx: Tx, patient_id: UUID, phone: PhoneRow, phone_hash: bytes) -> None:
    await queries.COPY_PHONE.run(
        tx, patient_id, phone_hash, phone.role, phone.value, phone.changed_at, phone.last_used_at
    )
    await queries.DELETE_PHONE.run(tx, patient_id, phone.phone_hash)
    await people.DELETE_PHONE_LOOKUP.run(tx, phone.phone_hash, patient_id)


def _current(keys: KeyRing, patient_id: UUID, number: HashedNumber) -> tuple[str, bytes]:
    value = unseal(keys, patient_id, "patient_identifier_rev", "value", number.value)
    return lookup_hashes(keys, number.kind, value)[0]


def _current_phone(keys: KeyRing, patient_id: UUID, phone: PhoneRow) -> tuple[str, bytes]:
    return phone_hashes(keys, unseal(keys, patient_id, "phone", "value", phone.value))[0]
