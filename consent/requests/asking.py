"""Asking for access: the limits, who is meant, how it reaches the person.

Whatever the person is (unknown, a child, blocked, capped, dead) looks the same to the asking side, and
every branch sends the same statements (security.md S19).
"""

import hashlib
from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.grants.queries import has_recent_grant
from consent.models import AccessRequest, Delivery, Scope
from consent.policy import (
    DAY,
    DEFAULT_TYPES,
    DURATIONS,
    PURPOSES,
    REQUEST_WINDOW,
    REQUESTS_PER_PRACTITIONER_DAY,
    REQUESTS_PER_SUBJECT_DAY,
    REQUESTS_PER_SUBJECT_HOUR,
    WARM_MONTHS,
    delivery_of,
)
from consent.problems import (
    ACCESS_REQUEST_INVALID,
    ROLE_MAY_NOT_ASK,
)
from consent.queries import lock_guard, use_quota
from consent.requests import queries
from consent.role_caps import role_cap
from consent.transfer import Display, draw
from ehr.encounters import has_encounter_with
from family.policy import YOUTH_AGE, is_of_age
from family.service import guardians_of
from identity.identifiers import normal_identifier
from identity.models import PersonCard
from identity.people import person_card, resolve_subject
from identity.problems import TOO_MANY
from kernel.access import ALL_LABELS, RECORD_TYPES, Actor, RecordType
from kernel.clock import add_months, local_day, start_of_day
from kernel.ids import uuid7, uuid8
from kernel.problems import Refused, refuse
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing
from store.outbox import emit
from visits.identification import Identified, read_code
from visits.presence import presence_of, record_scan

_EVENTS: dict[Delivery, str] = {
    "ring": "consent.requested",
    "silent": "consent.requested-silently",
    "cold": "consent.withheld",
    "withheld": "consent.withheld",
}


class Ask(Struct, frozen=True, kw_only=True):
    """What a practitioner wants. kind: 'national-id' | 'insurance' | 'citizen-qr'; types None: the
    default set of the role; duration_seconds: one of 1 h, 24 h, 7 d, 30 d, 90 d."""

    kind: str
    value: str
    purpose: str = "TREAT"
    types: frozenset[RecordType] | None = None
    since: date | None = None
    until: date | None = None
    duration_seconds: int = DAY


class Asked(Struct, frozen=True, kw_only=True):
    """The one answer to every request."""

    request_id: UUID
    expires_at: datetime
    display: Display


class _Subject(Struct, frozen=True, kw_only=True):
    """Whoever was presented: a person, or a pseudo id that no citizen has."""

    patient_id: UUID
    subject_hash: bytes
    scan: Identified | None


async def request_access(
    tx: Tx, keys: KeyRing, actor: Actor, ask: Ask, *, trace_id: str, now: datetime
) -> Asked | Refused:
    """Open a request for 15 minutes. Refused: role-may-not-ask, too-many, qr-…; raises
    access-request-invalid.

    `too-many` counts per practitioner and per presented identifier only; limits that depend on the
    person silence the delivery instead.
    """
    scope = _requested_scope(actor, ask)
    if isinstance(scope, Refused):
        return scope
    subject = await _subject_of(tx, keys, ask, now)
    if isinstance(subject, Refused):
        return subject
    crowded = await _charge_practitioner(tx, actor, subject, now)
    if crowded is not None:
        return crowded
    await lock_guard(tx, subject.patient_id)
    presence = await _presence(tx, actor, subject, trace_id, now)
    delivery = await _delivery(tx, keys, actor, subject, presence, now)
    request = _new_request(actor, ask.purpose, scope, subject.patient_id, presence, delivery, now)
    await queries.insert_request(tx, request)
    await queries.insert_practitioner_request(tx, request, subject.subject_hash)
    await emit(tx, request.patient_id, _EVENTS[delivery], {"request_id": str(request.request_id)}, now)
    await record_act(
        tx,
        request.patient_id,
        actor,
        "consent:request:create",
        purpose=request.purpose,
        request_id=trace_id,
        now=now,
    )
    return Asked(
        request_id=request.request_id, expires_at=request.expires_at, display=draw(keys, request, now)
    )


def _requested_scope(actor: Actor, ask: Ask) -> Scope | Refused:
    cap = role_cap(actor.role)
    if not cap or actor.licence is None or actor.facility_id is None or actor.practitioner_role_id is None:
        return Refused(problem=ROLE_MAY_NOT_ASK)
    if ask.purpose not in PURPOSES:
        refuse(ACCESS_REQUEST_INVALID, "purpose")
    if ask.duration_seconds not in DURATIONS:
        refuse(ACCESS_REQUEST_INVALID, "duration_seconds")
    if ask.since is not None and ask.until is not None and ask.since > ask.until:
        refuse(ACCESS_REQUEST_INVALID, "until")
    wanted = (DEFAULT_TYPES & cap) if ask.types is None else ask.types
    if not wanted <= RECORD_TYPES or not wanted:
        refuse(ACCESS_REQUEST_INVALID, "types")
    if not wanted <= cap:
        return Refused(problem=ROLE_MAY_NOT_ASK, where="types")
    return Scope(
        types=wanted,
        since=ask.since,
        until=ask.until,
        duration_seconds=ask.duration_seconds,
        labels=ALL_LABELS,
    )


async def _subject_of(tx: Tx, keys: KeyRing, ask: Ask, now: datetime) -> _Subject | Refused:
    if ask.kind == "citizen-qr":
        scan = read_code(keys, ask.value, now)
        if isinstance(scan, Refused):
            return scan
        return _Subject(patient_id=scan.patient_id, subject_hash=scan.code_id.bytes, scan=scan)
    kind, value = _identifier(ask)
    _, subject_hash = lookup_hashes(keys, "asked-for", f"{kind}|{value}")[0]
    patient_id = await resolve_subject(tx, keys, kind, value, now)
    return _Subject(patient_id=patient_id or _pseudo_id(subject_hash), subject_hash=subject_hash, scan=None)


def _identifier(ask: Ask) -> tuple[str, str]:
    """Kind and normal form of a presented number; its form alone decides, never who owns it."""
    kinds = {"national-id": ["national-id"], "insurance": ["insurance-card", "insurance-number"]}
    for kind in kinds.get(ask.kind, []):
        value = normal_identifier(kind, ask.value)
        if value is not None:
            return kind, value
    return refuse(ACCESS_REQUEST_INVALID, "subject.value")


def _pseudo_id(subject_hash: bytes) -> UUID:
    """The stand-in for a person nobody knows: stable for one number, made with a key."""
    return uuid8(hashlib.sha256(b"pseudo person" + subject_hash).digest())


async def _charge_practitioner(tx: Tx, actor: Actor, subject: _Subject, now: datetime) -> Refused | None:
    """The limits that may be told, for they depend on nothing but what was presented."""
    today = local_day(now)
    if not await use_quota(tx, actor.actor_id, "request", today, REQUESTS_PER_PRACTITIONER_DAY):
        wait = start_of_day(today + timedelta(days=1)) - now
        return Refused(problem=TOO_MANY, retry_after_seconds=int(wait.total_seconds()) + 1)
    asked = await queries.subject_count(
        tx, actor.actor_id, subject.subject_hash, now - timedelta(hours=1), now - timedelta(days=1)
    )
    if asked.day >= REQUESTS_PER_SUBJECT_DAY:
        return Refused(problem=TOO_MANY, retry_after_seconds=24 * 3600)
    if asked.hour >= REQUESTS_PER_SUBJECT_HOUR:
        return Refused(problem=TOO_MANY, retry_after_seconds=3600)
    return None


async def _presence(tx: Tx, actor: Actor, subject: _Subject, trace_id: str, now: datetime) -> bool:
    """A scan inside the request is presence (S7), unless another facility scanned that code; so is a check-in
    here within 12 hours."""
    assert actor.facility_id is not None
    if subject.scan is not None:
        done = await record_scan(tx, actor, subject.scan, request_id=trace_id, now=now)
        if not isinstance(done, Refused):
            return True
    return await presence_of(tx, subject.patient_id, actor.facility_id, now) is not None


async def _delivery(
    tx: Tx, keys: KeyRing, actor: Actor, subject: _Subject, presence: bool, now: datetime
) -> Delivery:
    assert actor.facility_id is not None
    patient_id = subject.patient_id
    person = await person_card(tx, keys, patient_id)
    burden = await queries.burden(
        tx,
        patient_id,
        actor.actor_id,
        actor.facility_id,
        hour_ago=now - timedelta(hours=1),
        day_ago=now - timedelta(days=1),
        ten_minutes_ago=now - timedelta(minutes=10),
    )
    since = start_of_day(add_months(local_day(now), -WARM_MONTHS))
    met = await has_encounter_with(tx, patient_id, actor.facility_id, since)
    agreed = await has_recent_grant(tx, patient_id, actor.facility_id, since)
    over = burden.pair_hour >= REQUESTS_PER_SUBJECT_HOUR or burden.pair_day >= REQUESTS_PER_SUBJECT_DAY
    return delivery_of(
        reachable=_reachable(person, await guardians_of(tx, patient_id, now), now),
        presence=presence,
        warm=met or agreed,
        blocked=burden.blocked and subject.scan is None,
        today=burden.today,
        rings=burden.rings,
        pair_over=over,
    )


def _reachable(person: PersonCard | None, guardians: list[UUID], now: datetime) -> bool:
    """A living person who answers alone, or a child with a guardian who does. Asked of everybody (S19)."""
    if person is None or person.state not in ("active", "death-reported") or person.birth_date is None:
        return False
    return bool(guardians) or is_of_age(person.birth_date, YOUTH_AGE, local_day(now))


def _new_request(
    actor: Actor,
    purpose: str,
    scope: Scope,
    patient_id: UUID,
    presence: bool,
    delivery: Delivery,
    now: datetime,
) -> AccessRequest:
    assert actor.facility_id is not None
    assert actor.practitioner_role_id is not None
    assert actor.role is not None
    return AccessRequest(
        patient_id=patient_id,
        request_id=uuid7(now),
        practitioner_id=actor.actor_id,
        practitioner_role_id=actor.practitioner_role_id,
        practitioner_name=actor.name,
        licence=actor.licence or "",
        role=actor.role,
        facility_id=actor.facility_id,
        facility_name=actor.facility_name or "",
        purpose=purpose,
        types=sorted(scope.types),
        since=scope.since,
        until=scope.until,
        duration_seconds=scope.duration_seconds,
        presence=presence,
        delivery=delivery,
        status="requested",
        attempts=0,
        created_at=now,
        expires_at=(now + REQUEST_WINDOW).replace(microsecond=0),
    )
