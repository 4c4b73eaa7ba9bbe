"""Answering a request: the citizen approves in the app (A, B), or a code is typed by the doctor (C, D).

Every secret goes through `check_code`: one statement charges the attempt, compares and
decides. A wrong answer is a returned refusal, so its charge and its audit row stay.
"""

import hashlib
import hmac
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import rfc8785
from msgspec import Struct, structs

from audit.service import record_act
from consent.artefact import label_names
from consent.blocks.queries import is_blocked
from consent.codes.queries import Check, check_code
from consent.grants.service import Consented, issue_grant
from consent.models import AccessRequest, Grant, PractitionerRequest, Scope, Tier
from consent.policy import (
    ATTEMPTS_MAX,
    cap_for,
    exceeds,
    granted_scope,
    is_empty,
    tier_open,
)
from consent.problems import (
    CHALLENGE_DEAD,
    NOTHING_GRANTED,
    OTP_INVALID,
    REQUEST_EXPIRED,
    REQUESTER_BLOCKED,
    SCOPE_EXCEEDS_REQUEST,
)
from consent.queries import lock_guard, set_wrong_codes
from consent.requests.queries import request_by_id
from consent.requests.service import has_ticket, is_present, own_mirror, request_for_citizen, requested_scope
from consent.terms import terms_of
from consent.transfer import HOTP_DIGITS, digits_are_live, live_counters, nonce_is_live
from family.policy import YOUTH_AGE, is_of_age
from identity.devices import StepUp, verify_step_up
from identity.hotp import hotp_answers
from identity.people import person_card
from identity.phones import free_code_lock, login_phone
from identity.problems import STEP_UP_REFUSED
from kernel.access import Access, Actor, Label, RecordType
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

APPROVE_TYP = "consent-approve"
LABEL_TYP = "consent-label"

_NO_HASH = b""


class Signed(Struct, frozen=True, kw_only=True):
    """What the device put into the signed text besides the act, and its signature (S11)."""

    nonce: str
    iat: int
    exp: int
    signature: str


class Approval(Struct, frozen=True, kw_only=True):
    """The citizen's answer. secret: the scanned nonce (A) or the typed digits (B).

    labels: sensitive labels to include, none by default; in tier A each needs its own signature in
    label_signatures, keyed by label. assent: a guardian says that the child agrees (from 7).
    """

    tier: Literal["A", "B"]
    secret: str
    types: frozenset[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int
    labels: Label
    signed: Signed
    label_signatures: dict[str, Signed]
    assent: bool = False


class CodeVerdict(Struct, frozen=True, kw_only=True):
    """A right code: whom it opened, for the practitioner who typed it."""

    patient_id: UUID
    grant_id: UUID
    starts_at: datetime
    ends_at: datetime


class _Attempt(Struct, frozen=True, kw_only=True):
    """One secret on its way to the check."""

    allowed: bool
    matched: bool
    code_hashes: list[bytes]


def approval_text(
    actor: Actor, request: AccessRequest, approval: Approval, environment: str
) -> dict[str, Any]:
    """What the device signs to approve: JCS of this, rebuilt here from the request and the choice."""
    return {
        "typ": APPROVE_TYP,
        "environment": environment,
        "patient_id": str(actor.actor_id),
        "device_id": str(actor.device_id),
        "nonce": approval.signed.nonce,
        "iat": approval.signed.iat,
        "exp": approval.signed.exp,
        "request_id": str(request.request_id),
        "tier": approval.tier,
        "secret": approval.secret,
        "doctor": request.practitioner_name,
        "licence": request.licence,
        "facility": request.facility_name,
        "purpose": request.purpose,
        "types": sorted(approval.types),
        "since": approval.since.isoformat() if approval.since else None,
        "until": approval.until.isoformat() if approval.until else None,
        "duration_seconds": approval.duration_seconds,
        "labels": label_names(approval.labels),
    } | _book(actor, request, {"assent": approval.assent})


def label_text(
    actor: Actor, request: AccessRequest, label: str, signed: Signed, environment: str
) -> dict[str, Any]:
    """What the device signs for one sensitive label in tier A."""
    return {
        "typ": LABEL_TYP,
        "environment": environment,
        "patient_id": str(actor.actor_id),
        "device_id": str(actor.device_id),
        "nonce": signed.nonce,
        "iat": signed.iat,
        "exp": signed.exp,
        "request_id": str(request.request_id),
        "label": label,
    } | _book(actor, request, {})


def _book(actor: Actor, request: AccessRequest, more: dict[str, Any]) -> dict[str, Any]:
    """patient_id is whose device signs; who answers for another names that one besides."""
    return {} if actor.actor_id == request.patient_id else {"book": str(request.patient_id)} | more


async def approve(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    request_id: UUID,
    approval: Approval,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Grant | Refused:
    """Tiers A and B. Refused: request-*, requester-blocked, scope-exceeds-request, step-up-refused,
    nothing-to-grant, otp-invalid (charged), challenge-dead."""
    assert access.action in ("answer-request", "manage-grants")
    await lock_guard(tx, access.patient_id)
    choice = _choice(approval)
    request = await _answerable(tx, access.patient_id, request_id, choice, now)
    if isinstance(request, Refused):
        return request
    text = rfc8785.dumps(approval_text(access.actor, request, approval, environment))
    step_up = await _step_up(tx, access.actor, request, approval, text, environment, now)
    if isinstance(step_up, Refused):
        return step_up
    terms = await terms_of(tx, keys, access, request_id, attested=approval.assent, now=now)
    if isinstance(terms, Refused):
        return terms
    presence = await is_present(tx, request, now)
    narrow = step_up.probation or terms.is_narrow
    choice = structs.replace(choice, labels=choice.labels & ~terms.without_labels)
    scope = _cut(request, choice, approval.tier, presence=presence, probation=narrow, now=now)
    if is_empty(scope):
        return Refused(problem=NOTHING_GRANTED)
    attempt = _Attempt(allowed=True, matched=_secret_matches(keys, request, approval, now), code_hashes=[])
    grant_id = uuid7(now)
    check = await _charge(tx, request, attempt, grant_id, now)
    if check is None or check.grant_id != grant_id:
        return await _not_granted(tx, access.actor, request, check, trace_id, now)
    consented = Consented(
        tier=approval.tier,
        scope=scope,
        presence=presence,
        choice=text,
        signature=approval.signed.signature,
        ends_by=terms.ends_by,
        for_another=terms.for_another,
    )
    return await issue_grant(
        tx, keys, access.actor, request, consented, grant_id=grant_id, trace_id=trace_id, now=now
    )


async def _answerable(
    tx: Tx, patient_id: UUID, request_id: UUID, choice: Scope, now: datetime
) -> AccessRequest | Refused:
    """The open request, if it may be answered with this choice."""
    request = await request_for_citizen(tx, patient_id, request_id, now)
    if isinstance(request, Refused):
        return request
    if await is_blocked(tx, patient_id, request.practitioner_id, request.facility_id):
        return Refused(problem=REQUESTER_BLOCKED)
    wider = exceeds(choice, requested_scope(request))
    return request if wider is None else Refused(problem=SCOPE_EXCEEDS_REQUEST, where=wider)


async def enter_code(
    tx: Tx, keys: KeyRing, actor: Actor, request_id: UUID, code: str, *, trace_id: str, now: datetime
) -> CodeVerdict | Refused:
    """Tiers C (8 digits of the app) and D (6 digits of the SMS), typed by the practitioner who asked.

    A request of an unknown person is charged, counted and refused by the same statements.
    """
    mirror = await own_mirror(tx, actor, request_id)
    if isinstance(mirror, Refused):
        return mirror
    wrong_codes = await lock_guard(tx, mirror.patient_id)
    request = await request_by_id(tx, mirror.patient_id, request_id)
    assert request is not None
    presence = await is_present(tx, request, now)
    tier: Tier = "C" if len(code) == HOTP_DIGITS else "D"
    matched, probation = await _hotp_match(tx, keys, request, code, now) if tier == "C" else (False, False)
    scope = _cut(request, requested_scope(request), tier, presence=presence, probation=probation, now=now)
    ticket = await has_ticket(tx, request, now)
    may = tier_open(tier, request.delivery, presence=presence, ticket=ticket, wrong_codes=wrong_codes)
    # A code that went out before a merge was decided: the phone is held until it is proven again (S10).
    blocked = await is_blocked(tx, request.patient_id, request.practitioner_id, request.facility_id)
    may = may and not blocked
    # A child of under 15 has guardians, who answer in their own app.
    card = await person_card(tx, keys, request.patient_id)
    may = may and card is not None and is_of_age(card.birth_date, YOUTH_AGE, local_day(now))
    if tier == "D" and await login_phone(tx, keys, request.patient_id, now) is None:
        may = False
    attempt = _Attempt(
        allowed=may and not is_empty(scope),
        matched=matched,
        code_hashes=code_hashes(keys, request_id, code) if tier == "D" else [],
    )
    grant_id = uuid7(now)
    check = await _charge(tx, request, attempt, grant_id, now)
    if check is None:
        return _over(mirror, now)
    if check.grant_id != grant_id:
        # No guess where no code could have been right: else anybody anywhere could turn D off (S31).
        await set_wrong_codes(tx, request.patient_id, wrong_codes + may)
        return await _not_granted(tx, actor, request, check, trace_id, now)
    await set_wrong_codes(tx, request.patient_id, 0)
    if tier == "D":
        await _free_phone(tx, keys, request.patient_id, now)
    consented = Consented(tier=tier, scope=scope, presence=presence)
    grant = await issue_grant(
        tx, keys, actor, request, consented, grant_id=grant_id, trace_id=trace_id, now=now
    )
    return CodeVerdict(
        patient_id=grant.patient_id,
        grant_id=grant.grant_id,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
    )


def code_hashes(keys: KeyRing, request_id: UUID, code: str) -> list[bytes]:
    """HMAC-SHA256(pepper, challenge ‖ code) under each pepper; a row keeps the first, of the current one."""
    text = b"consent code\0" + request_id.bytes + code.encode()
    return [hmac.digest(pepper, text, hashlib.sha256) for _, pepper in keys.secrets("pepper")]


async def _free_phone(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> None:
    """The SMS code was used: sign-in codes may go to this phone again (security.md S2)."""
    phone = await login_phone(tx, keys, patient_id, now)
    if phone is not None:
        await free_code_lock(tx, phone.phone_hash, "consent")


def _choice(approval: Approval) -> Scope:
    return Scope(
        types=approval.types,
        since=approval.since,
        until=approval.until,
        duration_seconds=approval.duration_seconds,
        labels=approval.labels,
    )


def _cut(
    request: AccessRequest, choice: Scope, tier: Tier, *, presence: bool, probation: bool, now: datetime
) -> Scope:
    cap = cap_for(tier, presence=presence, probation=probation)
    return granted_scope(requested_scope(request), choice, cap, request.role, local_day(now))


def _secret_matches(keys: KeyRing, request: AccessRequest, approval: Approval, now: datetime) -> bool:
    if approval.tier == "A":
        return nonce_is_live(keys, request, approval.secret, now)
    return digits_are_live(keys, request, approval.secret, now)


async def _step_up(
    tx: Tx,
    actor: Actor,
    request: AccessRequest,
    approval: Approval,
    text: bytes,
    environment: str,
    now: datetime,
) -> StepUp | Refused:
    """The act's signature, and in tier A one more for each sensitive label."""
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    if approval.tier == "A":
        for label in label_names(approval.labels):
            signed = approval.label_signatures.get(label)
            if signed is None:
                return Refused(problem=STEP_UP_REFUSED, where=f"label_signatures.{label}")
            body = rfc8785.dumps(label_text(actor, request, label, signed, environment))
            held = await verify_step_up(
                tx,
                actor.actor_id,
                actor.device_id,
                LABEL_TYP,
                body,
                signed.signature,
                now,
                environment=environment,
            )
            if isinstance(held, Refused):
                return held
    return await verify_step_up(
        tx,
        actor.actor_id,
        actor.device_id,
        APPROVE_TYP,
        text,
        approval.signed.signature,
        now,
        environment=environment,
    )


async def _hotp_match(
    tx: Tx, keys: KeyRing, request: AccessRequest, code: str, now: datetime
) -> tuple[bool, bool]:
    """Whether a live device of the person answers this request so, and whether it is on probation."""
    answers = await hotp_answers(tx, keys, request.patient_id, live_counters(keys, request, now), now)
    right = [one for one in answers if hmac.compare_digest(one.digits.encode(), code.encode())]
    return bool(right), all(one.probation for one in right)


async def _charge(
    tx: Tx, request: AccessRequest, attempt: _Attempt, grant_id: UUID, now: datetime
) -> Check | None:
    return await check_code(
        tx,
        patient_id=request.patient_id,
        request_id=request.request_id,
        practitioner_id=request.practitioner_id,
        now=now,
        grant_id=grant_id,
        allowed=attempt.allowed,
        matched=attempt.matched,
        code_hashes=attempt.code_hashes,
    )


async def _not_granted(
    tx: Tx, actor: Actor, request: AccessRequest, check: Check | None, trace_id: str, now: datetime
) -> Refused:
    if check is None:
        return Refused(problem=CHALLENGE_DEAD)
    await record_act(
        tx,
        request.patient_id,
        actor,
        "consent:code:wrong",
        purpose=request.purpose,
        outcome="refused",
        reason=OTP_INVALID.code,
        request_id=trace_id,
        now=now,
    )
    return Refused(problem=OTP_INVALID, where="code", remaining=ATTEMPTS_MAX - check.attempts)


def _over(mirror: PractitionerRequest, now: datetime) -> Refused:
    """Expired is told by the mirror's own clock, so it says nothing of the person."""
    return Refused(problem=REQUEST_EXPIRED if now >= mirror.expires_at else CHALLENGE_DEAD)
