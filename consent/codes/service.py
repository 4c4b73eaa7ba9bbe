"""Tier D: the SMS code, made for one request, kept as an HMAC, sealed for its delivery alone.

A code travels only to a login phone of a person who checked in, when the app did not serve: no live
device, or 60 seconds have passed. For everybody else the same statements store the hash of a value
that nobody knows.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.approval import code_hashes
from consent.blocks.queries import is_blocked
from consent.codes import queries
from consent.models import AccessRequest
from consent.policy import (
    APP_FIRST_FOR,
    ATTEMPTS_MAX,
    CODE_RESEND_AFTER,
    CODE_SENDS_MAX,
    CODE_TTL,
    HOUR,
    SMS_PER_FACILITY_DAY,
    TIER_CAPS,
    tier_open,
)
from consent.problems import CHALLENGE_DEAD, REQUEST_EXPIRED
from consent.queries import lock_guard, use_quota
from consent.requests.queries import request_by_id
from consent.requests.service import has_ticket, is_present, own_mirror
from identity import budgets
from identity.devices import list_devices
from identity.entry.letters import PREFIX_LENGTH
from identity.phones import login_phone, login_phone_replaced_at, take_code_lock
from identity.practitioners import practitioner_card
from identity.problems import TOO_MANY
from kernel.access import Actor
from kernel.clock import local_day
from kernel.problems import ProblemError, Refused
from store.database import Tx
from store.fields import lookup_hashes, seal, unseal
from store.keys import KeyRing
from store.outbox import emit

PHONE_CHANGE_PAUSE: Final = timedelta(hours=72)


class CodeAsked(Struct, frozen=True, kw_only=True):
    """The one answer to every wish for an SMS; it never says whether one was sent."""

    sends_left: int
    resend_after_seconds: int


class CodeForDelivery(Struct, frozen=True, kw_only=True):
    """What the worker puts into the typed message `SmsCode`; scope without tone marks."""

    phone: str
    code: str
    practitioner: str
    facility_short: str
    scope: str
    hours: int
    expires_at: datetime


async def ask_code(
    tx: Tx, keys: KeyRing, actor: Actor, request_id: UUID, *, trace_id: str, now: datetime
) -> CodeAsked | Refused:
    """Send a code for this request: at most 3, at least 60 seconds apart; the old one dies.

    Raises request-expired, challenge-dead and too-many: a wish that got no slot must not use up the
    facility's messages of the day or hold back the phone's sign-in codes.
    """
    mirror = await own_mirror(tx, actor, request_id)
    if isinstance(mirror, Refused):
        return mirror
    wrong_codes = await lock_guard(tx, mirror.patient_id)
    request = await request_by_id(tx, mirror.patient_id, request_id)
    assert request is not None
    code = f"{secrets.randbelow(10**6):06d}"
    wanted = await _deliverable(tx, keys, request, wrong_codes, now)
    slot = await queries.take_code_slot(
        tx,
        patient_id=request.patient_id,
        request_id=request_id,
        practitioner_id=request.practitioner_id,
        now=now,
        code_hash=code_hashes(keys, request_id, code if wanted else secrets.token_hex(16))[0],
        code_sealed=seal(keys, request.patient_id, "access_request", "code_sealed", code),
        code_expires_at=now + CODE_TTL,
        sent_before=now - CODE_RESEND_AFTER,
    )
    if slot is None:
        raise ProblemError(_no_slot(request, mirror.expires_at, now))
    event = "consent.code-ready" if wanted else "consent.code-withheld"
    ref = {"request_id": str(request_id), "send": str(slot.code_sends)}
    await emit(tx, request.patient_id, event, ref, now)
    await record_act(tx, request.patient_id, actor, "consent:code:ask", request_id=trace_id, now=now)
    return CodeAsked(
        sends_left=CODE_SENDS_MAX - slot.code_sends,
        resend_after_seconds=int(CODE_RESEND_AFTER.total_seconds()),
    )


async def code_for_delivery(
    tx: Tx, keys: KeyRing, patient_id: UUID, request_id: UUID, send: int, now: datetime
) -> CodeForDelivery | None:
    """Open the code of one event 'consent.code-ready' and erase it; None when it is stale or gone."""
    row = await queries.sealed_code(tx, patient_id, request_id, now, send)
    await forget_code(tx, patient_id, request_id, send)
    phone = await login_phone(tx, keys, patient_id, now)
    if row is None or phone is None:
        return None
    card = await practitioner_card(tx, row.practitioner_role_id, now)
    cap = TIER_CAPS["D"]
    return CodeForDelivery(
        phone=phone.number,
        code=unseal(keys, patient_id, "access_request", "code_sealed", row.code_sealed),
        practitioner=row.practitioner_name,
        facility_short=card.facility_short if card is not None else row.facility_name,
        scope=f"tom tat {cap.history_months} thang",
        hours=min(row.duration_seconds, cap.duration_seconds) // HOUR,
        expires_at=row.code_expires_at,
    )


async def forget_code(tx: Tx, patient_id: UUID, request_id: UUID, send: int) -> None:
    """Erase the sealed copy of this send and of earlier ones ('consent.code-withheld' comes here too)."""
    await queries.erase_code(tx, patient_id, request_id, send)


async def _deliverable(
    tx: Tx, keys: KeyRing, request: AccessRequest, wrong_codes: int, now: datetime
) -> bool:
    """Whether this person may get an SMS now. All is asked of everybody, an unknown person too."""
    presence = await is_present(tx, request, now)
    ticket = await has_ticket(tx, request, now)
    phone = await login_phone(tx, keys, request.patient_id, now)
    replaced_at = await login_phone_replaced_at(tx, request.patient_id)
    devices = await list_devices(tx, keys, request.patient_id)
    blocked = await is_blocked(tx, request.patient_id, request.practitioner_id, request.facility_id)
    app_first = bool(devices) and now < request.created_at + APP_FIRST_FOR
    wanted = (
        request.status == "requested"
        and tier_open("D", request.delivery, presence=presence, ticket=ticket, wrong_codes=wrong_codes)
        and _settled(replaced_at, now)
        and not app_first
        and not blocked
        and phone is not None
    )
    # Only a code that is sent may cost the facility one of its day (S31) or hold back sign-in codes: else
    # any request would silence the desk or lock a person out. The same rows are written for nobody.
    payer = request.facility_id if wanted else request.patient_id
    paid = await use_quota(tx, payer, "sms", local_day(now), SMS_PER_FACILITY_DAY)
    nobody = _no_phone(keys, request.patient_id)
    # A block of numbers may be one caller's own, dear ones (SMS pumping); nobody's is a block of its own.
    block = phone.number[:PREFIX_LENGTH] if phone is not None and wanted and paid else nobody
    within = await budgets.charge(tx, budgets.SENDS_PREFIX, budgets.subject(block), now)
    lock = phone.phone_hash if phone is not None and wanted and paid and within else nobody
    free = await take_code_lock(tx, lock, "consent", now + CODE_TTL, now)
    return wanted and paid and within and free


def _settled(replaced_at: datetime | None, now: datetime) -> bool:
    """Against a swapped SIM: no code for 72 hours after the number changed (consent.md §8)."""
    return replaced_at is None or replaced_at <= now - PHONE_CHANGE_PAUSE


def _no_phone(keys: KeyRing, patient_id: UUID) -> bytes:
    """A value no phone has: the lock row of somebody without one is written alike."""
    return lookup_hashes(keys, "no-phone", str(patient_id))[0][1]


def _no_slot(request: AccessRequest, expires_at: datetime, now: datetime) -> Refused:
    if now >= expires_at:
        return Refused(problem=REQUEST_EXPIRED)
    if request.status == "granted" or request.attempts >= ATTEMPTS_MAX:
        return Refused(problem=CHALLENGE_DEAD)
    return Refused(problem=TOO_MANY, retry_after_seconds=int(CODE_RESEND_AFTER.total_seconds()))
