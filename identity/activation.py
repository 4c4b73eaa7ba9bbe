"""Activation in presence by two staff accounts (security.md S8).

propose   first account: the person stands here, the card was seen     → activation id
confirm   second account: the same, of whom the answer tells name and phone end → 128-bit code, shown once
redeem    the person's phone: code, its own number, PIN, device keys   → device, session, login phone

The desk writes a number down and the person types it again: whichever of the two lies, nothing is redeemed.

Recovery of a lost phone and a new PIN are the same procedure.
"""

import hashlib
import secrets
from base64 import b32encode
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from audit.service import record_act
from identity import budgets, devices, people, queries
from identity.accounts.opening import PERSON_LEVEL, open_book
from identity.devices import BrowserOrigin, NewDevice
from identity.entry import queries as entry
from identity.identifiers import is_mobile, normal_identifier, normal_phone, shown_end
from identity.merges import service as merges
from identity.merges.aliases import survivor_of
from identity.models import ActivationRow, Demographics, Sex
from identity.passwords import POOL, hash_secret
from identity.people import IdentifierClaim, Matched, PersonClaim, Unmatched
from identity.policy import pin_is_easy
from identity.ports import Arrivals, TypedArrivals
from identity.problems import (
    ACTIVATION_ELSEWHERE,
    ACTIVATION_REFUSED,
    CARD_NOT_SEEN,
    DEVICE_KEY_REFUSED,
    IDENTIFIER_INVALID,
    IDENTITY_CONFLICT,
    NOT_ARRIVED,
    PERSON_MERGED,
    PHONE_INVALID,
    PIN_TOO_EASY,
    SECOND_ACCOUNT_NEEDED,
)
from identity.sign_in import SignedIn
from identity.verification import service as verification
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import ProblemType, Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit
from store.problems import ALREADY_CREATED

CODE_BYTES = 16
CODE_LIFE = timedelta(hours=24)
PROPOSAL_LIFE = timedelta(hours=12)
BIRTH_DATE = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$(?!\n)"


class Card(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the card in the clerk's hand says. birth_date: FHIR partial."""

    number: Annotated[str, Meta(min_length=12, max_length=20)]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    birth_date: Annotated[str, Meta(pattern=BIRTH_DATE)]
    sex: Sex


class CardSeen(Card, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The card, and the phone in the person's hand."""

    phone: Annotated[str, Meta(min_length=8, max_length=20)]
    card_seen: bool


class Proposed(Struct, frozen=True, kw_only=True):
    activation_id: UUID


class ActivationCode(Struct, frozen=True, kw_only=True):
    """The code goes to the person on paper or screen; nobody can show it again.

    name, phone (its last three digits): what the second account compares with the person in front of it.
    """

    code: str
    expires_at: datetime
    name: str | None
    phone: str


class PendingRedeem(Struct, frozen=True, kw_only=True):
    """A code that was used up by this request; what is left is hashing the PIN."""

    code: str
    patient_id: UUID
    facility_id: UUID
    phone_number: str


class _Sealed(Struct, frozen=True):
    """What the redemption needs of the desk's entry, sealed with the proposal."""

    phone: str
    number: str


async def _match_card(
    tx: Tx, keys: KeyRing, card: Card, facility_id: UUID, now: datetime
) -> tuple[UUID | None, bool]:
    """(who has the number, whether the card describes that person)."""
    found = await people.match_person(tx, keys, _claim(card), facility_id, now)
    if isinstance(found, Matched):
        return found.patient_id, True
    if found == Unmatched("unknown-person"):
        return None, False
    return await people.resolve_subject(tx, keys, "national-id", card.number, now), False


def _claim(card: Card) -> PersonClaim:
    return PersonClaim(
        identifiers=[IdentifierClaim("national-id", card.number)],
        name=card.name,
        birth_date=card.birth_date,
        sex=card.sex,
    )


async def propose(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    card: CardSeen,
    arrived: Arrivals,
    typed: TypedArrivals,
    *,
    request_id: str,
    now: datetime,
) -> Proposed | Refused:
    """First account. The day's budget is charged before the number is looked at.

    A number that nobody has makes a person, of the card that was seen; without an arrival nobody.
    """
    number = normal_phone(card.phone)
    if number is None or not is_mobile(number):
        return Refused(problem=PHONE_INVALID, where="phone")
    refused = await _entitled(tx, actor, card.card_seen, now)
    if refused is not None:
        return refused
    if normal_identifier("national-id", card.number) is None:
        return Refused(problem=IDENTIFIER_INVALID, where="number")
    patient_id = await _person_here(tx, keys, actor, card, arrived, typed, request_id, now)
    if isinstance(patient_id, Refused):
        return patient_id
    activation_id = uuid7(now)
    kept = msgspec.json.encode(_Sealed(number, normal_identifier("national-id", card.number) or "")).decode()
    await entry.INSERT_ACTIVATION.run(
        tx,
        _hash(str(activation_id)),
        activation_id,
        patient_id,
        actor.facility_id,
        seal(keys, patient_id, "activation", "phone", kept),
        actor.actor_id,
        now,
        now + PROPOSAL_LIFE,
    )
    await record_act(tx, patient_id, actor, "identity:activation:propose", request_id=request_id, now=now)
    return Proposed(activation_id=activation_id)


async def _person_here(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    card: Card,
    arrived: Arrivals,
    typed: TypedArrivals,
    request_id: str,
    now: datetime,
) -> UUID | Refused:
    """The person of the card, who arrived today.

    Without an arrival the answer is one, whatever the number: else it tells who is registered (S19).
    """
    facility_id = facility_of(actor)
    patient_id, agrees = await _match_card(tx, keys, card, facility_id, now)
    here = await typed(tx, keys, card.number, facility_id, now)
    if patient_id is None and here:
        return await people.create_person(tx, keys, _claim(card), "staff", facility_id, now)
    if patient_id is None:
        return Refused(problem=NOT_ARRIVED)
    here = here or await _has_arrived(tx, arrived, patient_id, facility_id, now)
    if here and agrees:
        return patient_id
    told = IDENTITY_CONFLICT if here else NOT_ARRIVED
    reason = NOT_ARRIVED if agrees else IDENTITY_CONFLICT
    return await _refuse(tx, patient_id, actor, told, reason, request_id, now)


async def confirm(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    activation_id: UUID,
    card_seen: bool,
    arrived: Arrivals,
    *,
    request_id: str,
    now: datetime,
) -> ActivationCode | Refused:
    """Second account of the same facility. Makes the number `verified` and the code, shown once."""
    refused = await _entitled(tx, actor, card_seen, now)
    if refused is not None:
        return refused
    patient_id = await entry.ACTIVATION_PERSON.one(tx, _hash(str(activation_id)))
    if patient_id is None:
        return Refused(problem=SECOND_ACCOUNT_NEEDED)
    is_here = not await people.is_closed(tx, patient_id) and await _has_arrived(
        tx, arrived, patient_id, facility_of(actor), now
    )
    if not is_here:
        return await _refuse(tx, patient_id, actor, NOT_ARRIVED, NOT_ARRIVED, request_id, now)
    row = await entry.CONFIRM_ACTIVATION.one(
        tx, _hash(str(activation_id)), now, actor.actor_id, actor.facility_id
    )
    if row is None:
        return Refused(problem=SECOND_ACCOUNT_NEEDED)
    if await merges.prove(tx, patient_id, actor, request_id=request_id, now=now):
        # The card of a merged person proves that person alone: the account opens with the other card (S10).
        return Refused(problem=PERSON_MERGED)
    code = await _issue(tx, keys, row, now)
    await record_act(tx, patient_id, actor, "identity:activation:create", request_id=request_id, now=now)
    await emit(tx, patient_id, "identity.activation-issued", {"activation_id": str(activation_id)}, now)
    return code


async def proposed_again(tx: Tx, actor: Actor, activation_id: UUID) -> Proposed | Refused:
    """The answer to a repeat of one's own proposal at the same facility."""
    found = await entry.ACTIVATION_OF_ACTOR.one(
        tx, _hash(str(activation_id)), actor.facility_id, actor.actor_id
    )
    return Refused(problem=ACTIVATION_ELSEWHERE) if found is None else Proposed(activation_id=found)


async def confirmed_again(tx: Tx, actor: Actor, activation_id: UUID) -> Refused:
    """A repeat of one's own confirmation: the code is never shown twice (S14)."""
    again = await proposed_again(tx, actor, activation_id)
    return again if isinstance(again, Refused) else Refused(problem=ALREADY_CREATED)


async def _issue(tx: Tx, keys: KeyRing, row: ActivationRow, now: datetime) -> ActivationCode:
    kept = msgspec.json.decode(unseal(keys, row.patient_id, "activation", "phone", row.phone), type=_Sealed)
    await people.verify_identifier(tx, keys, row.patient_id, "national-id", kept.number, row.facility_id, now)
    await verification.note(
        tx,
        method="manual_staff",
        provider=str(row.facility_id),
        level=PERSON_LEVEL,
        purpose="enrolment",
        transaction_id=row.activation_id,
        now=now,
    )
    code = b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=")
    await entry.INSERT_ACTIVATION_CODE.run(
        tx,
        _hash(code),
        row.activation_id,
        row.patient_id,
        row.facility_id,
        seal(keys, row.patient_id, "activation_code", "phone", kept.phone),
        now + CODE_LIFE,
    )
    known = await people.demographics(tx, keys, row.patient_id) or Demographics()
    return ActivationCode(code=code, expires_at=now + CODE_LIFE, name=known.name, phone=shown_end(kept.phone))


async def use_code(
    tx: Tx,
    keys: KeyRing,
    code: str,
    phone: str,
    pin: str,
    device: NewDevice,
    network: str,
    now: datetime,
    origin: BrowserOrigin | None = None,
) -> PendingRedeem | Refused:
    """Use the code up: it works once. A weak PIN or wrong device keys are refused before that.

    phone: the number that the person types; another one than the desk's is a wrong code.
    network: address block of the caller, for counting.
    """
    POOL.require_room()
    refused = await budgets.charge_or_refuse(
        tx, budgets.ACTIVATION_TRIES_NETWORK, budgets.subject(network), now
    )
    if refused is not None:
        return refused
    normal = "".join(code.split()).upper().replace("-", "")
    live = await entry.LIVE_ACTIVATION_CODE.one(tx, _hash(normal), now)
    if live is None or normal_phone(phone) != _phone_of(keys, live) or await _is_stale(tx, live):
        return Refused(problem=ACTIVATION_REFUSED)
    known = await people.demographics(tx, keys, live.patient_id) or Demographics()
    if pin_is_easy(pin, known.birth_date):
        return Refused(problem=PIN_TOO_EASY, where="pin")
    if devices.proven_step_up_key(device, normal, origin) is None:
        return Refused(problem=DEVICE_KEY_REFUSED, where="device")
    row = await entry.USE_ACTIVATION_CODE.one(tx, _hash(normal), now)
    if row is None:
        return Refused(problem=ACTIVATION_REFUSED)
    return PendingRedeem(
        code=normal,
        patient_id=row.patient_id,
        facility_id=row.facility_id,
        phone_number=_phone_of(keys, row),
    )


async def _has_arrived(tx: Tx, arrived: Arrivals, patient_id: UUID, facility_id: UUID, now: datetime) -> bool:
    """An arrival by the number of a merged person stands with the survivor, as every look-up does."""
    return await arrived(tx, await survivor_of(tx, patient_id), facility_id, now)


async def _is_stale(tx: Tx, row: ActivationRow) -> bool:
    """A code from before a merge was decided proves nothing about the persons since (security.md S10)."""
    return bool(await queries.IS_HELD.one(tx, row.patient_id, row.expires_at - CODE_LIFE))


def _phone_of(keys: KeyRing, row: ActivationRow) -> str:
    return unseal(keys, row.patient_id, "activation_code", "phone", row.phone)


async def hash_pin(keys: KeyRing, pending: PendingRedeem, pin: str) -> str:
    """No transaction may be open."""
    return await hash_secret(keys, pending.patient_id, pin)


async def finish(
    tx: Tx,
    keys: KeyRing,
    pending: PendingRedeem,
    pin_hash: str,
    device: NewDevice,
    *,
    request_id: str,
    now: datetime,
    origin: BrowserOrigin | None = None,
) -> SignedIn | Refused:
    """Open the book: device, PIN, login phone, session."""
    return await open_book(
        tx,
        keys,
        pending.patient_id,
        device,
        pending.code,
        pin_hash=pin_hash,
        phone_number=pending.phone_number,
        in_presence=True,
        request_id=request_id,
        now=now,
        origin=origin,
    )


async def _entitled(tx: Tx, actor: Actor, card_seen: bool, now: datetime) -> Refused | None:
    if not card_seen:
        return Refused(problem=CARD_NOT_SEEN)
    return await budgets.charge_or_refuse(
        tx, budgets.ACTIVATIONS_DAY, budgets.subject(actor.actor_id.bytes), now
    )


async def _refuse(
    tx: Tx,
    patient_id: UUID,
    actor: Actor,
    told: ProblemType,
    reason: ProblemType,
    request_id: str,
    now: datetime,
) -> Refused:
    """A try with somebody who is not there, or whom the card does not describe, stands in that one's log."""
    await record_act(
        tx,
        patient_id,
        actor,
        "identity:activation:propose",
        outcome="refused",
        reason=reason.code,
        request_id=request_id,
        now=now,
    )
    return Refused(problem=told)


def facility_of(actor: Actor) -> UUID:
    assert actor.facility_id is not None, "desk staff act for a facility"
    return actor.facility_id


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
