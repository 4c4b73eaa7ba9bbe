"""Phones of a person: `contact` from anybody, `login` only from an enrolment (security.md S1)."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from identity import queries
from identity.identifiers import normal_phone
from identity.models import LoginPhone
from store.database import Tx
from store.fields import lookup_hashes, seal, unseal
from store.keys import KeyRing

LOGIN_PHONE_IDLE = timedelta(days=180)
KIND = "phone"
_NOBODY = UUID(int=0)


def phone_hashes(keys: KeyRing, number: str) -> list[tuple[str, bytes]]:
    """[(key version, hash)] of a normalised number, the current version first."""
    return lookup_hashes(keys, KIND, number)


async def add_contact(tx: Tx, keys: KeyRing, patient_id: UUID, text: str, now: datetime) -> None:
    """Keep a phone that somebody else wrote down; nobody is found by it. Text that is no phone number is
    left out."""
    number = normal_phone(text)
    if number is not None:
        _, phone_hash = phone_hashes(keys, number)[0]
        sealed = seal(keys, patient_id, "phone", "value", number)
        await queries.UPSERT_CONTACT_PHONE.run(tx, patient_id, phone_hash, sealed, now)


async def make_login(tx: Tx, keys: KeyRing, patient_id: UUID, number: str, now: datetime) -> None:
    """The phone of an enrolment: the only one that codes go to. `number` is normalised."""
    version, phone_hash = phone_hashes(keys, number)[0]
    sealed = seal(keys, patient_id, "phone", "value", number)
    await queries.UPSERT_LOGIN_PHONE.run(tx, patient_id, phone_hash, sealed, now)
    await queries.DEMOTE_OTHER_PHONES.run(tx, patient_id, phone_hash, now)
    await queries.INSERT_PHONE_LOOKUP.run(tx, phone_hash, patient_id, version)


async def login_phone(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> LoginPhone | None:
    """The login phone; None without one, or when it was not used for 180 days (S9)."""
    row = await queries.LOGIN_PHONE.one(tx, patient_id, now - LOGIN_PHONE_IDLE)
    if row is None:
        return None
    number = unseal(keys, patient_id, "phone", "value", row.value)
    return LoginPhone(phone_hash=row.phone_hash, number=number, changed_at=row.changed_at)


async def letters_phone(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> LoginPhone | None:
    """Where the letters of a sign-in go: the login phone, or the phone that an account signed up with."""
    row = await queries.LETTERS_PHONE.one(tx, patient_id, now - LOGIN_PHONE_IDLE)
    if row is None:
        return None
    number = unseal(keys, patient_id, "phone", "value", row.value)
    return LoginPhone(phone_hash=row.phone_hash, number=number, changed_at=row.changed_at)


async def number_of(tx: Tx, keys: KeyRing, patient_id: UUID, phone_hash: bytes) -> str | None:
    """The number of one of the person's phones, whatever its role; None where it is none of them."""
    rows = await queries.PHONES_OF_PERSON.all(tx, patient_id)
    found = next((row for row in rows if row.phone_hash == phone_hash), None)
    return None if found is None else unseal(keys, patient_id, "phone", "value", found.value)


async def number_to_reach(tx: Tx, keys: KeyRing, patient_id: UUID) -> str | None:
    """The number that a person is called at: the login phone, else the newest that anybody wrote down."""
    rows = await queries.PHONES_OF_PERSON.all(tx, patient_id)
    if not rows:
        return None
    row = max(rows, key=lambda one: (one.role == "login", one.changed_at))
    return unseal(keys, patient_id, "phone", "value", row.value)


async def people_signing_in_with(tx: Tx, keys: KeyRing, number: str, now: datetime) -> list[UUID]:
    """Everybody whose login phone this is."""
    return [one for one, role in await _people_of(tx, keys, number, now) if role == "login"]


async def people_of_letters(tx: Tx, keys: KeyRing, number: str, now: datetime) -> list[UUID]:
    """Everybody whose login phone this is; where it is nobody's, who signed up with it."""
    found = await _people_of(tx, keys, number, now)
    proven = [one for one, role in found if role == "login"]
    return proven or [one for one, _ in found]


async def _people_of(tx: Tx, keys: KeyRing, number: str, now: datetime) -> list[tuple[UUID, str]]:
    found: dict[UUID, str] = {}
    hashes = [phone_hash for _, phone_hash in phone_hashes(keys, number)]
    for phone_hash in hashes:
        # Asked also for nobody: a number that nobody has costs the same statements (security.md S19).
        for patient_id in await queries.PEOPLE_OF_PHONE.all(tx, phone_hash) or (_NOBODY,):
            row = await queries.LETTERS_PHONE.one(tx, patient_id, now - LOGIN_PHONE_IDLE)
            # Either version: a rotation may move the row between the two look-ups.
            if row is not None and row.phone_hash in hashes:
                found[patient_id] = row.role
    return list(found.items())


async def take_code_lock(
    tx: Tx, phone_hash: bytes, kind: Literal["sign-in", "consent"], until: datetime, now: datetime
) -> bool:
    """Reserve a phone for codes of one kind. False while the other kind is live: send nothing (S2)."""
    return await queries.TAKE_PHONE_CODE_LOCK.one(tx, phone_hash, kind, until, now) is not None


async def free_code_lock(tx: Tx, phone_hash: bytes, kind: Literal["sign-in", "consent"]) -> None:
    """The code was used or its request ended: the other kind may be sent again."""
    await queries.FREE_PHONE_CODE_LOCK.run(tx, phone_hash, kind)


async def login_phone_replaced_at(tx: Tx, patient_id: UUID) -> datetime | None:
    """When the login phone last took the place of another one; None when it is the person's first."""
    rows = await queries.PHONES_OF_PERSON.all(tx, patient_id)
    logins = [row.changed_at for row in rows if row.role == "login"]
    demoted = [row.changed_at for row in rows if row.role == "contact" and row.changed_at in logins]
    return max(demoted, default=None)
