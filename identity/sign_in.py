"""A citizen signs in on a new device: letters by SMS to the login phone, and the PIN.

Three steps, because hashing must not hold a transaction open:
    charge_code   charges the try, compares the letters, charges the PIN       (transaction)
    pin_holds     Argon2id in its own threads                                  (no transaction)
    finish        uses the challenge up, enrols the device, opens the session  (transaction)
Whose PIN rests under an older pepper, it is moved afterwards (identity/resting.py).

Whoever is not registered gets the same rows: a pseudo person, a challenge that counts and dies
alike, an outbox event. Only the delivery finds no phone (security.md S19).
"""

import hashlib
import hmac
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from identity import budgets, devices, people, phones, queries, sessions
from identity.devices import BrowserOrigin, Enrolled, NewDevice
from identity.entry import queries as entry
from identity.entry.letters import (
    CODE_LIFE,
    CODE_TRIES,
    letters_hold,
    letters_mac,
    may_send,
    new_letters,
)
from identity.identifiers import normal_identifier, normal_phone
from identity.passwords import POOL, secret_holds
from identity.problems import CHALLENGE_DEAD, SIGN_IN_REFUSED
from identity.resting import Resting
from identity.sessions import Tokens
from identity.tokens import from_base64url, new_secret, to_base64url
from kernel.ids import uuid8
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit


class SignInStarted(Struct, frozen=True, kw_only=True):
    """The same for everybody. challenge_id is opaque and names nobody."""

    challenge_id: str
    expires_in_seconds: int


class PendingPin(Struct, frozen=True, kw_only=True):
    """The letters were right; what is left is the PIN."""

    challenge_id: str
    patient_id: UUID
    phone_hash: bytes
    pin_hash: str | None

    @property
    def rests(self) -> Resting:
        return Resting(queries.MOVE_PIN, self.patient_id, self.pin_hash)


class SignedIn(Struct, frozen=True, kw_only=True):
    patient_id: UUID
    enrolled: Enrolled
    tokens: Tokens


class SignInCode(Struct, frozen=True, kw_only=True):
    """What the delivery needs, opened at the last moment."""

    patient_id: UUID
    phone_number: str
    code: str
    expires_at: datetime


async def start(
    tx: Tx, keys: KeyRing, kind: Literal["number", "phone"], value: str, network: str, now: datetime
) -> SignInStarted | Refused:
    """Make a challenge for the person who has this number, or who alone signs in with this phone.

    Caps that depend on the person drop the message and change nothing else (S19); 429 counts per
    network of the caller and per presented value. A phone that several people sign in with leads to
    none of them: they give their own number (S9).
    """
    presented = _normal(kind, value)
    for budget, id_hash in (
        (budgets.SIGN_IN_STARTS_NETWORK, budgets.subject(network)),
        (budgets.SIGN_IN_STARTS, _hash(keys, "start", presented)),
    ):
        refused = await budgets.charge_or_refuse(tx, budget, id_hash, now)
        if refused is not None:
            return refused
    patient_id = await _person(tx, keys, kind, presented, now)
    phone = await phones.letters_phone(tx, keys, patient_id or _pseudo(keys, presented), now)
    number = phone.number if phone is not None else presented
    phone_hash = phone.phone_hash if phone is not None else _hash(keys, "phone", presented)
    challenge_id = to_base64url(new_secret())
    holder = patient_id if patient_id is not None and phone is not None else _pseudo(keys, presented)
    sends = await may_send(tx, phone_hash, number, now)
    await _insert_challenge(tx, keys, challenge_id, holder, phone_hash, sends, now)
    await emit(tx, holder, "identity.sign-in-code", {"challenge": event_reference(challenge_id)}, now)
    return SignInStarted(challenge_id=challenge_id, expires_in_seconds=int(CODE_LIFE.total_seconds()))


async def charge_code(
    tx: Tx, keys: KeyRing, challenge_id: str, code: str, now: datetime
) -> PendingPin | Refused:
    """Charge one of five tries, then compare; right letters charge a PIN try of person and phone."""
    POOL.require_room()
    row = await entry.CHARGE_CHALLENGE.one(tx, challenge_hash(challenge_id), now, CODE_TRIES)
    if row is None:
        return Refused(problem=CHALLENGE_DEAD)
    if not letters_hold(keys, challenge_id, code, row.pepper_id, row.code_hash):
        return Refused(problem=SIGN_IN_REFUSED, remaining=CODE_TRIES - row.attempts)
    for budget, id_hash in _pin_budgets(row.patient_id, row.phone_hash):
        refused = await budgets.charge_or_refuse(tx, budget, id_hash, now)
        if refused is not None:
            return refused
    return PendingPin(
        challenge_id=challenge_id,
        patient_id=row.patient_id,
        phone_hash=row.phone_hash,
        pin_hash=await queries.PIN_HASH.one(tx, row.patient_id),
    )


async def pin_holds(keys: KeyRing, pending: PendingPin, pin: str | None) -> bool:
    """Compare the PIN. No transaction may be open. A missing PIN is a wrong one (S2)."""
    return await secret_holds(keys, pending.patient_id, pending.pin_hash, pin or "")


async def finish(
    tx: Tx,
    keys: KeyRing,
    pending: PendingPin,
    pin_held: bool,
    device: NewDevice,
    *,
    request_id: str,
    now: datetime,
    origin: BrowserOrigin | None = None,
) -> SignedIn | Refused:
    """Use the challenge up, once; enrol the device on probation and open its session."""
    refused = await settle(tx, keys, pending, pin_held, now)
    if refused is not None:
        return refused
    enrolled = await devices.enrol(tx, keys, pending.patient_id, device, pending.challenge_id, now, origin)
    if isinstance(enrolled, Refused):
        return enrolled
    await let_in(tx, pending, now)
    await devices.log_enrolment(tx, pending.patient_id, enrolled, request_id, now)
    tokens = await sessions.open_citizen_session(tx, pending.patient_id, enrolled.device_id, now)
    return SignedIn(patient_id=pending.patient_id, enrolled=enrolled, tokens=tokens)


async def settle(tx: Tx, keys: KeyRing, pending: PendingPin, pin_held: bool, now: datetime) -> Refused | None:
    """Use the challenge up, once, and give the tries back. What a door still refuses is its own affair."""
    if not pin_held:
        return Refused(problem=SIGN_IN_REFUSED)
    # The challenge before the budgets, as charge_code locks them: the other way round is a deadlock.
    used = await entry.USE_CHALLENGE.one(tx, challenge_hash(pending.challenge_id), now)
    for budget, id_hash in _pin_budgets(pending.patient_id, pending.phone_hash):
        await budgets.refund(tx, budget, id_hash)
    # Letters that were sent before a merge was decided, or before the book was closed (S10, S18).
    if used is None or await phones.letters_phone(tx, keys, pending.patient_id, now) is None:
        return Refused(problem=CHALLENGE_DEAD)
    return None


async def let_in(tx: Tx, pending: PendingPin, now: datetime) -> None:
    """The login phone was used, and other codes may go to it again."""
    await queries.TOUCH_PHONE.run(tx, pending.patient_id, pending.phone_hash, now)
    await phones.free_code_lock(tx, pending.phone_hash, "sign-in")


async def sign_in_code_for_delivery(
    tx: Tx, keys: KeyRing, challenge: str, now: datetime
) -> SignInCode | None:
    """Open the letters for the one SMS they are for, and erase them in the same transaction.

    challenge: the reference in the event `identity.sign-in-code`. None: expired, used, delivered
    before, or nobody's.
    """
    id_hash = from_base64url(challenge)
    row = None if id_hash is None else await entry.CHALLENGE_FOR_DELIVERY.one(tx, id_hash, now)
    # Also what came too late is erased.
    await entry.ERASE_CODE.run(tx, id_hash)
    if row is None or row.code is None:
        return None
    phone = await phones.letters_phone(tx, keys, row.patient_id, now)
    if phone is None or phone.phone_hash != row.phone_hash:
        return None
    return SignInCode(
        patient_id=row.patient_id,
        phone_number=phone.number,
        code=unseal(keys, row.patient_id, "sign_in_challenge", "code", row.code),
        expires_at=row.expires_at,
    )


def challenge_hash(challenge_id: str) -> bytes:
    """What rests of a challenge id: knowing the row does not let anybody answer it."""
    return hashlib.sha256(challenge_id.encode()).digest()


def event_reference(challenge_id: str) -> str:
    """The challenge as an event names it: the hash, so a queue row answers nothing either."""
    return to_base64url(challenge_hash(challenge_id))


def _normal(kind: str, value: str) -> str:
    """The normalised value; text of a wrong form stays as it is and simply belongs to nobody."""
    if kind == "phone":
        return normal_phone(value) or value.strip()
    return normal_identifier("national-id", value) or value.strip()


async def _person(tx: Tx, keys: KeyRing, kind: str, presented: str, now: datetime) -> UUID | None:
    if kind == "number":
        return await people.resolve_subject(tx, keys, "national-id", presented, now)
    found = await phones.people_of_letters(tx, keys, presented, now)
    return found[0] if len(found) == 1 else None


async def _insert_challenge(
    tx: Tx, keys: KeyRing, challenge_id: str, holder: UUID, phone_hash: bytes, sends: bool, now: datetime
) -> None:
    code = new_letters()
    pepper_id, pepper = keys.secret("pepper")
    await entry.INSERT_CHALLENGE.run(
        tx,
        challenge_hash(challenge_id),
        holder,
        phone_hash,
        pepper_id,
        letters_mac(pepper, challenge_id, code),
        seal(keys, holder, "sign_in_challenge", "code", code) if sends else None,
        now,
        now + CODE_LIFE,
    )


def _pin_budgets(patient_id: UUID, phone_hash: bytes) -> tuple[tuple[budgets.Budget, bytes], ...]:
    return (
        (budgets.WRONG_PIN_PERSON, budgets.subject(patient_id.bytes)),
        (budgets.WRONG_PIN_PHONE, phone_hash),
    )


def _pseudo(keys: KeyRing, presented: str) -> UUID:
    """A stand-in person for a value that leads to nobody; the same one each time."""
    return uuid8(_hash(keys, "nobody", presented))


def _hash(keys: KeyRing, use: str, presented: str) -> bytes:
    _, pepper = keys.secret("pepper")
    return hmac.digest(pepper, use.encode() + b"\0" + presented.encode(), hashlib.sha256)
