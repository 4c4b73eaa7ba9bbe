"""Signing up: a phone, its letters and a PIN make an account of level 0 (security.md S1).

Nobody's identity stands behind it. It opens an empty book of its own, which holds what is entered in it and
nothing else: a number that is typed here takes part in no matching, and the phone is no login phone, so no
record, request or search ever leads here. Proving who one is opens the true book beside it; this one stays
what it is, on its devices, until its owner closes it.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from identity import budgets, devices, people, queries, sessions
from identity.accounts import proofs
from identity.accounts import queries as accounts
from identity.accounts.models import ProofStarted, ProvenPhone, StartPurpose
from identity.accounts.problems import BIRTH_DATE_INVALID
from identity.activation import BIRTH_DATE
from identity.devices import BrowserOrigin, NewDevice
from identity.models import Sex
from identity.passwords import POOL, hash_secret
from identity.people import IdentifierClaim, PersonClaim
from identity.phones import phone_hashes
from identity.policy import pin_is_easy
from identity.problems import CHALLENGE_DEAD, DEVICE_KEY_REFUSED, PHONE_INVALID, PIN_TOO_EASY
from identity.sign_in import SignedIn
from identity.verification import service as verification
from kernel.clock import local_day
from kernel.ids import uuid7, uuid8
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal
from store.keys import KeyRing


class SaidOfOneself(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says of oneself; nobody checked a word of it. number: 12 digits, if the person wants."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    birth_date: Annotated[str, Meta(pattern=BIRTH_DATE)] | None = None
    sex: Sex | None = None
    number: Annotated[str, Meta(max_length=20)] | None = None


class PendingSignUp(Struct, frozen=True, kw_only=True):
    """Letters that this request used up; what is left is hashing the PIN."""

    challenge_id: str
    phone: ProvenPhone


async def start(
    tx: Tx, keys: KeyRing, phone: str, network: str, now: datetime, purpose: StartPurpose = "sign-up"
) -> ProofStarted | Refused:
    """Send letters to a phone: for an account, or to be the login phone of a book that a provider opens.

    Looks nobody up: the answer says nothing. Refused: phone-invalid for text that is no mobile number.
    """
    number = proofs.number_of(phone)
    if number is None:
        return Refused(problem=PHONE_INVALID, where="phone")
    for budget, id_hash in (
        (budgets.SIGN_IN_STARTS_NETWORK, budgets.subject(network)),
        (budgets.SIGN_UP_STARTS, phone_hashes(keys, number)[0][1]),
    ):
        refused = await budgets.charge_or_refuse(tx, budget, id_hash, now)
        if refused is not None:
            return refused
    return await proofs.start(tx, keys, purpose, uuid7(now), number, now)


async def use_code(
    tx: Tx,
    keys: KeyRing,
    challenge_id: str,
    code: str,
    pin: str,
    said: SaidOfOneself,
    device: NewDevice,
    now: datetime,
    origin: BrowserOrigin | None = None,
) -> PendingSignUp | Refused:
    """Charge the letters and use them up. A weak PIN or wrong device keys cost no try of the letters."""
    POOL.require_room()
    refused = _wrong_form(challenge_id, pin, said, device, now, origin)
    if refused is not None:
        return refused
    proven = await proofs.charge(tx, keys, "sign-up", challenge_id, code, now)
    if isinstance(proven, Refused):
        return proven
    refused = await budgets.charge_or_refuse(tx, budgets.SIGN_UPS_DAY, proven.phone_hash, now)
    if refused is not None:
        return refused
    if not await proofs.use(tx, challenge_id, proven):
        return Refused(problem=CHALLENGE_DEAD)
    return PendingSignUp(challenge_id=challenge_id, phone=proven)


def _wrong_form(
    challenge_id: str,
    pin: str,
    said: SaidOfOneself,
    device: NewDevice,
    now: datetime,
    origin: BrowserOrigin | None,
) -> Refused | None:
    if said.birth_date is not None and not _is_past_day(said.birth_date, now):
        return Refused(problem=BIRTH_DATE_INVALID, where="said.birth_date")
    if pin_is_easy(pin, said.birth_date):
        return Refused(problem=PIN_TOO_EASY, where="pin")
    if devices.proven_step_up_key(device, challenge_id, origin) is None:
        return Refused(problem=DEVICE_KEY_REFUSED, where="device")
    return None


async def hash_pin(keys: KeyRing, pending: PendingSignUp, pin: str) -> str:
    """No transaction may be open."""
    return await hash_secret(keys, pending.phone.holder, pin)


async def finish(
    tx: Tx,
    keys: KeyRing,
    pending: PendingSignUp,
    pin_hash: str,
    said: SaidOfOneself,
    device: NewDevice,
    *,
    request_id: str,
    now: datetime,
    origin: BrowserOrigin | None = None,
) -> SignedIn | Refused:
    """Make the person and the account. Its first device is trusted: there was no book before it to guard, and
    once an identity is proven the devices of that book are others."""
    patient_id = pending.phone.holder
    await people.create_person(tx, keys, _claim(said), "self-declared", None, now, patient_id=patient_id)
    enrolled = await devices.enrol(
        tx, keys, patient_id, device, pending.challenge_id, now, origin, probation_until=now
    )
    if isinstance(enrolled, Refused):
        return enrolled
    await verification.note(
        tx,
        method="otp_phone",
        provider="sms",
        level=0,
        purpose="sign-up",
        transaction_id=uuid8(budgets.subject(pending.challenge_id)),
        now=now,
    )
    await queries.UPSERT_PIN.run(tx, patient_id, pin_hash, now)
    await keep_sign_up_phone(tx, keys, patient_id, pending.phone.number, now)
    await devices.log_enrolment(tx, patient_id, enrolled, request_id, now)
    tokens = await sessions.open_citizen_session(tx, patient_id, enrolled.device_id, now)
    return SignedIn(patient_id=patient_id, enrolled=enrolled, tokens=tokens)


async def keep_sign_up_phone(tx: Tx, keys: KeyRing, patient_id: UUID, number: str, now: datetime) -> None:
    """The phone leads to this account alone from now on: whoever has the number after its first owner starts
    an account of one's own and sees nothing of the one before (security.md S9)."""
    version, phone_hash = phone_hashes(keys, number)[0]
    for _, one in phone_hashes(keys, number):
        for other in await queries.PEOPLE_OF_PHONE.all(tx, one):
            if await accounts.LEAVE_SIGN_UP_PHONE.one(tx, other, one, now) is not None:
                await queries.DELETE_PHONE_LOOKUP.run(tx, one, other)
    sealed = seal(keys, patient_id, "phone", "value", number)
    await accounts.INSERT_SIGN_UP_PHONE.run(tx, patient_id, phone_hash, sealed, now)
    await accounts.LEAVE_OTHER_SIGN_UP_PHONES.run(tx, patient_id, phone_hash, now)
    await queries.INSERT_PHONE_LOOKUP.run(tx, phone_hash, patient_id, version)


def _is_past_day(text: str, now: datetime) -> bool:
    try:
        day = date.fromisoformat(text + "-01-01"[len(text) - len("YYYY") :])
    except ValueError:
        return False
    return day <= local_day(now)


def _claim(said: SaidOfOneself) -> PersonClaim:
    numbers = [] if said.number is None else [IdentifierClaim("national-id", said.number)]
    return PersonClaim(identifiers=numbers, name=said.name, birth_date=said.birth_date, sex=said.sex)
