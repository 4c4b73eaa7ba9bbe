"""Opening the own book by an identity provider: a new account, a new phone, a forgotten PIN (S1, S8).

The provider must say at level 2 that this is the person of the number that was stated, with birth date, sex
and name of the book. Whoever proves to be somebody else learns nothing of that number and gets nothing. The
device is on probation for 72 hours like any that no older device answered for; the others are told and can
cancel.
"""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from identity import budgets, devices, people
from identity.accounts import proofs
from identity.accounts.opening import open_book
from identity.accounts.problems import IDENTITY_AT_DESK
from identity.devices import BrowserOrigin, NewDevice
from identity.identifiers import normal_identifier
from identity.passwords import POOL, hash_secret
from identity.people import IdentifierClaim, Matched, PersonClaim
from identity.policy import is_below, pin_is_easy
from identity.problems import CHALLENGE_DEAD, DEVICE_KEY_REFUSED, PIN_TOO_EASY
from identity.sign_in import SignedIn
from identity.verification.models import Level, Verified
from identity.verification.problems import VERIFICATION_REFUSED
from identity.verification.service import claim, look
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

LEVEL_MIN: Final[Level] = 2
# Below it the provider knows level 1 alone (vietnam.md §8).
AGE_MIN: Final = 6
# A closed account opens again by its person's own proof, as it does at a desk.
_OPENS: Final = frozenset({"active", "death-reported", "closed"})


class PhoneLetters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone that is to be the login phone: the challenge of `sign-up/start` for the purpose
    `enrolment`, and its letters."""

    challenge_id: Annotated[str, Meta(min_length=1, max_length=64)]
    code: Annotated[str, Meta(min_length=1, max_length=20)]


class Proof(Struct, frozen=True, kw_only=True):
    """What the device brings: the browser's receipt, its own secret, and the 12 digits of the book."""

    receipt: str
    secret: str
    number: str
    pin: str
    device: NewDevice
    phone: PhoneLetters | None = None


class PendingEnrolment(Struct, frozen=True, kw_only=True):
    """A proof that this request used up; what is left is hashing the PIN."""

    patient_id: UUID
    phone_number: str | None


async def use_proof(
    tx: Tx, keys: KeyRing, proof: Proof, network: str, now: datetime, origin: BrowserOrigin | None = None
) -> PendingEnrolment | Refused:
    """Check all that can be checked first, then use letters and proof up.

    Refused: pin-too-easy, device-key-refused, sign-in-refused and sign-in-code-dead (the letters),
    verification-refused, verification-level-low, identity-at-desk.
    """
    POOL.require_room()
    refused = await budgets.charge_or_refuse(tx, budgets.ENROLMENTS_NETWORK, budgets.subject(network), now)
    refused = refused or _wrong_form(proof, origin) or await _wrong_pin(tx, keys, proof, now)
    phone_number = refused or await _phone_of(tx, keys, proof.phone, now)
    if isinstance(phone_number, Refused):
        return phone_number
    proven = await claim(
        tx, keys, proof.receipt, proof.secret, purpose="enrolment", level_min=LEVEL_MIN, now=now
    )
    if isinstance(proven, Refused):
        return proven
    patient_id = await _book_of(tx, keys, proven.person, proof, now)
    if isinstance(patient_id, Refused):
        return patient_id
    return PendingEnrolment(patient_id=patient_id, phone_number=phone_number)


def _wrong_form(proof: Proof, origin: BrowserOrigin | None) -> Refused | None:
    if pin_is_easy(proof.pin, None):
        return Refused(problem=PIN_TOO_EASY, where="pin")
    if devices.proven_step_up_key(proof.device, proof.receipt, origin) is None:
        return Refused(problem=DEVICE_KEY_REFUSED, where="device")
    return None


async def _wrong_pin(tx: Tx, keys: KeyRing, proof: Proof, now: datetime) -> Refused | None:
    """The provider says when the person was born: a PIN of that day costs neither letters nor proof."""
    said = await look(tx, keys, proof.receipt, proof.secret, purpose="enrolment", now=now)
    if said is not None and pin_is_easy(proof.pin, said.birth_date):
        return Refused(problem=PIN_TOO_EASY, where="pin")
    return None


async def _phone_of(
    tx: Tx, keys: KeyRing, letters: PhoneLetters | None, now: datetime
) -> str | Refused | None:
    if letters is None:
        return None
    phone = await proofs.charge(tx, keys, "enrolment", letters.challenge_id, letters.code, now)
    if isinstance(phone, Refused):
        return phone
    used = await proofs.use(tx, letters.challenge_id, phone)
    return phone.number if used else Refused(problem=CHALLENGE_DEAD)


async def _book_of(tx: Tx, keys: KeyRing, person: Verified, proof: Proof, now: datetime) -> UUID | Refused:
    """The book of the stated number, if this is its person; who is somebody else hears nothing of it."""
    stated = normal_identifier("national-id", proof.number)
    if stated is None or stated != normal_identifier("national-id", person.number or ""):
        return Refused(problem=VERIFICATION_REFUSED)
    return await _person_of(tx, keys, person, stated, now)


async def hash_pin(keys: KeyRing, pending: PendingEnrolment, pin: str) -> str:
    """No transaction may be open."""
    return await hash_secret(keys, pending.patient_id, pin)


async def finish(
    tx: Tx,
    keys: KeyRing,
    pending: PendingEnrolment,
    pin_hash: str,
    proof: Proof,
    *,
    request_id: str,
    now: datetime,
    origin: BrowserOrigin | None = None,
) -> SignedIn | Refused:
    """Open the book on the device."""
    return await open_book(
        tx,
        keys,
        pending.patient_id,
        proof.device,
        proof.receipt,
        pin_hash=pin_hash,
        phone_number=pending.phone_number,
        in_presence=False,
        request_id=request_id,
        now=now,
        origin=origin,
    )


async def _person_of(tx: Tx, keys: KeyRing, person: Verified, number: str, now: datetime) -> UUID | Refused:
    """Whose book it is; a number that nobody has makes a person. What does not agree is for a desk to see."""
    described = PersonClaim(
        identifiers=[IdentifierClaim("national-id", number)],
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
    )
    if not person.name or not person.birth_date or is_below(person.birth_date, AGE_MIN, local_day(now)):
        return Refused(problem=IDENTITY_AT_DESK)
    found = await people.match_person(tx, keys, described, None, now)
    if isinstance(found, Matched):
        (state,) = await people.lock_people(tx, found.patient_id)
        if state not in _OPENS:
            return Refused(problem=IDENTITY_AT_DESK)
        await people.verify_identifier(tx, keys, found.patient_id, "national-id", number, None, now)
        return found.patient_id
    if found.reason == "unknown-person":
        return await people.create_person(tx, keys, described, "verified", None, now)
    return Refused(problem=IDENTITY_AT_DESK)
