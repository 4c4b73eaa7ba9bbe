"""Sessions: opaque tokens, re-read from the database on every request.

A citizen's access token lives 10 minutes and is renewed by a refresh that the device's refresh key
signs (consent.md §8, security.md S11). Staff have no such key: their session ends after 15 idle
minutes (S16), and so does a person's in a browser (identity/page_sessions.py). The secrets rest as SHA-256.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from identity import queries
from identity.models import LiveSession, RoleRow, SessionRow
from identity.policy import role_in_force
from identity.problems import CLOCK_OFF, SESSION_ENDED
from identity.signatures import Jwk, canonical, es256_holds
from identity.tokens import (
    digest,
    new_secret,
    read_access_token,
    read_refresh_token,
    to_base64url,
    write_token,
)
from kernel.access import Actor, ActorKind
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

ACCESS_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=90)
REUSE_GRACE = timedelta(seconds=10)
SIGNED_TEXT_LIFE = timedelta(minutes=5)
IDLE_LIFE = timedelta(minutes=15)
STAFF_LIFE = timedelta(hours=12)
CLIENT_LIFE = timedelta(hours=1)
# An idle end is pushed out at most once a minute: most reads then write nothing here.
_IDLE_STEP = timedelta(minutes=1)
# What an identity provider's word stands for at the door of a page (identity/page_sessions.py).
PROVEN_LEVEL = 2
_SHUT = ("frozen", "closed", "erasing")


class Tokens(Struct, frozen=True, kw_only=True):
    """What a sign-in hands out once. refresh_token: people's devices only; it serves once."""

    access_token: str
    expires_in_seconds: int
    refresh_token: str | None = None


async def open_citizen_session(tx: Tx, patient_id: UUID, device_id: UUID, now: datetime) -> Tokens:
    """A session family of one device."""
    session_id, access, refresh = uuid7(now), new_secret(), new_secret()
    await queries.INSERT_SESSION.run(
        tx,
        patient_id,
        session_id,
        "citizen",
        device_id,
        None,
        digest(access),
        now + ACCESS_LIFE,
        None,
        digest(refresh),
        now,
        now + REFRESH_LIFE,
    )
    return _tokens(patient_id, session_id, access, refresh, ACCESS_LIFE)


async def open_staff_session(
    tx: Tx, actor_id: UUID, kind: Literal["practitioner", "operator"], role_id: UUID | None, now: datetime
) -> Tokens:
    """A session of a practitioner in one role, or of an operator."""
    access, until = new_secret(), now + STAFF_LIFE
    await queries.INSERT_SESSION.run(
        tx,
        actor_id,
        uuid7(now),
        kind,
        None,
        role_id,
        digest(access),
        until,
        now + IDLE_LIFE,
        None,
        now,
        until,
    )
    return Tokens(
        access_token=write_token(actor_id.bytes, access),
        expires_in_seconds=int(STAFF_LIFE.total_seconds()),
    )


async def open_client_session(
    tx: Tx, client_id: UUID, kind: Literal["facility-system", "kiosk"], now: datetime
) -> Tokens:
    access, until = new_secret(), now + CLIENT_LIFE
    await queries.INSERT_SESSION.run(
        tx, client_id, uuid7(now), kind, None, None, digest(access), until, None, None, now, until
    )
    return Tokens(
        access_token=write_token(client_id.bytes, access),
        expires_in_seconds=int(CLIENT_LIFE.total_seconds()),
    )


async def authenticate(tx: Tx, token: str, now: datetime, *, by_itself: bool = False) -> Actor | None:
    """Who presents this token; None unless session, device, person, licence, role and facility stand now.

    by_itself: a page that updates itself asks, and nobody sits there for all we know: the idle end stays.
    """
    presented = read_access_token(token)
    return None if presented is None else await _stands(tx, *presented, now, by_itself=by_itself)


async def actor_of_session(tx: Tx, actor_id: UUID, session_id: UUID, now: datetime) -> Actor | None:
    """Who is behind a session that something was handed out to, as `authenticate` would say now."""
    access_hash = await queries.ACCESS_HASH.one(tx, actor_id, session_id)
    return None if access_hash is None else await _stands(tx, actor_id, access_hash, now)


async def _stands(
    tx: Tx, actor_id: UUID, access_hash: bytes, now: datetime, *, by_itself: bool = False
) -> Actor | None:
    row = await queries.LIVE_SESSION.one(tx, actor_id, access_hash, now)
    if row is None:
        return None
    if not by_itself and row.idle_until is not None and row.idle_until - now < IDLE_LIFE - _IDLE_STEP:
        await queries.EXTEND_IDLE.run(tx, row.actor_id, row.session_id, now + IDLE_LIFE)
    if row.kind == "citizen":
        return _citizen(row, now)
    if row.kind == "practitioner":
        return _practitioner(row, now)
    return _operator(row) if row.kind == "operator" else _client(row)


def _citizen(row: LiveSession, now: datetime) -> Actor | None:
    if row.level is None or row.person_state in _SHUT:
        return None
    if row.device_ended_at is not None or not _has_its_device(row):
        return None
    proven = row.proven_at is not None
    return Actor(
        kind="citizen",
        actor_id=row.actor_id,
        session_id=row.session_id,
        level=max(row.level, PROVEN_LEVEL) if proven else row.level,
        device_id=row.device_id,
        probation=row.probation_until is None or row.probation_until > now,
        proven=proven,
        held=row.held or row.person_state == "merged",
        origins=frozenset(row.origins),
        sealed_person=row.sealed_person,
        holds=tuple(zip(row.holds_from, row.holds_until, strict=True)),
    )


def _has_its_device(row: LiveSession) -> bool:
    """A browser's session may have none and is then no better than a device on probation (S8, S11)."""
    return row.probation_until is not None or (row.device_id is None and row.idle_until is not None)


def _practitioner(row: LiveSession, now: datetime) -> Actor | None:
    role = _role(row)
    if role is None or role.practitioner_id != row.actor_id or not role_in_force(role, now):
        return None
    return Actor(
        kind="practitioner",
        actor_id=row.actor_id,
        session_id=row.session_id,
        name=role.name,
        practitioner_role_id=role.practitioner_role_id,
        role=role.role,
        licence=role.licence,
        facility_id=role.facility_id,
        facility_name=role.facility_name,
        factors_reset_at=row.factors_reset_at,
    )


def _role(row: LiveSession) -> RoleRow | None:
    """The role of a staff session, if the register has it; then it has a person and a facility too."""
    if row.practitioner_role_id is None or row.practitioner_id is None:
        return None
    assert row.role is not None
    assert row.active_from is not None
    assert row.name is not None
    assert row.facility_id is not None
    assert row.facility_name is not None
    assert row.facility_short is not None
    return RoleRow(
        practitioner_role_id=row.practitioner_role_id,
        practitioner_id=row.practitioner_id,
        role=row.role,
        active_from=row.active_from,
        active_until=row.active_until,
        name=row.name,
        licence=row.licence,
        licence_from=row.licence_from,
        licence_until=row.licence_until,
        suspended_at=row.suspended_at,
        ended_at=row.ended_at,
        facility_id=row.facility_id,
        facility_name=row.facility_name,
        facility_short=row.facility_short,
        facility_closed_at=row.facility_closed_at,
    )


def _operator(row: LiveSession) -> Actor | None:
    if row.operator_name is None or row.operator_ended_at is not None:
        return None
    return Actor(kind="operator", actor_id=row.actor_id, session_id=row.session_id, name=row.operator_name)


def _client(row: LiveSession) -> Actor | None:
    if (
        row.client_name is None
        or row.client_ended_at is not None
        or row.client_facility_closed_at is not None
    ):
        return None
    kind: ActorKind = row.kind
    return Actor(
        kind=kind,
        actor_id=row.actor_id,
        session_id=row.session_id,
        name=row.client_name,
        facility_id=row.client_facility_id,
        facility_name=row.client_facility_name,
    )


# -- refresh


def refresh_text(refresh_token: str, issued_at: int) -> bytes:
    """What the refresh key signs: JCS {typ, token_sha256, iat (epoch seconds)}."""
    hashed = to_base64url(hashlib.sha256(refresh_token.encode()).digest())
    return canonical({"typ": "refresh", "token_sha256": hashed, "iat": issued_at})


async def refresh(
    tx: Tx, keys: KeyRing, refresh_token: str, issued_at: int, signature: str, now: datetime
) -> Tokens | Refused:
    """Rotate a family. A phone that lost the answer asks again with the old token and gets the same tokens,
    for as long as it did not rotate once more: with the same signature for 10 s, later signed anew.

    An older token, an old signature and a token without the signature of its own device end the family: a
    copied token is useless, and so is a recorded request (S11).
    """
    presented = read_refresh_token(refresh_token)
    session = None if presented is None else await queries.SESSION_BY_ID.one(tx, presented[0], presented[1])
    if presented is None or session is None or session.ended_at is not None or session.expires_at <= now:
        return Refused(problem=SESSION_ENDED)
    if not await _signed_by_device(tx, session, refresh_text(refresh_token, issued_at), signature):
        return await _end_family(tx, session, "foreign-key", now)
    # The right key with a wrong time is a phone whose clock is off, or an old recording: no theft.
    if abs(now.timestamp() - issued_at) > SIGNED_TEXT_LIFE.total_seconds():
        return Refused(problem=CLOCK_OFF, where="iat")
    hashed = digest(presented[2])
    pepper_id, _ = keys.secret("pepper")
    access, fresh = _next_secrets(keys, pepper_id, session.session_id, presented[2])
    if hashed == session.refresh_hash:
        rotated = await queries.ROTATE_SESSION.one(
            tx,
            session.actor_id,
            session.session_id,
            hashed,
            digest(fresh),
            digest(access),
            now + ACCESS_LIFE,
            now,
            now + REFRESH_LIFE,
            issued_at,
        )
        if rotated is not None:
            return _tokens(session.actor_id, session.session_id, access, fresh, ACCESS_LIFE)
        session = await queries.SESSION_BY_ID.one(tx, session.actor_id, session.session_id) or session
    given = _given_before(keys, session, presented[2])
    if given is not None and _is_asked_again(session, hashed, issued_at, now):
        left = max(session.access_until - now, timedelta(0))
        return _tokens(session.actor_id, session.session_id, *given, left)
    return await _end_family(tx, session, "refresh-reuse", now)


def _given_before(keys: KeyRing, session: SessionRow, old: bytes) -> tuple[bytes, bytes] | None:
    """What followed `old`, under the pepper of that time; None where the family has moved on."""
    for pepper_id, _ in keys.secrets("pepper"):
        access, fresh = _next_secrets(keys, pepper_id, session.session_id, old)
        if digest(fresh) == session.refresh_hash:
            return access, fresh
    return None


def _next_secrets(keys: KeyRing, pepper_id: str, session_id: UUID, old: bytes) -> tuple[bytes, bytes]:
    """Access and refresh secret that follow `old`.

    Derived instead of drawn: a phone that lost the answer asks again and gets the same one, without
    a token at rest.
    """
    _, pepper = keys.secret("pepper", pepper_id)
    seed = session_id.bytes + old
    return (
        hmac.digest(pepper, b"access\0" + seed, hashlib.sha256),
        hmac.digest(pepper, b"refresh\0" + seed, hashlib.sha256),
    )


async def _signed_by_device(tx: Tx, session: SessionRow, text: bytes, signature: str) -> bool:
    if session.device_id is None:
        return False
    device = await queries.DEVICE_BY_ID.one(tx, session.actor_id, session.device_id)
    if device is None:
        return False
    return es256_holds(msgspec.json.decode(device.refresh_key, type=Jwk), text, signature)


def _is_asked_again(session: SessionRow, hashed: bytes, issued_at: int, now: datetime) -> bool:
    if session.ended_at is not None or hashed != session.previous_refresh_hash or session.rotated_at is None:
        return False
    signed_anew = session.rotated_iat is not None and issued_at > session.rotated_iat
    return signed_anew or now - session.rotated_at <= REUSE_GRACE


async def _end_family(tx: Tx, session: SessionRow, reason: str, now: datetime) -> Refused:
    await queries.END_SESSION.one(tx, session.actor_id, session.session_id, now, reason)
    return Refused(problem=SESSION_ENDED)


async def sign_out(tx: Tx, actor: Actor, now: datetime) -> None:
    """End the session of this request; other people on the same phone stay signed in (S9)."""
    await queries.END_SESSION.one(tx, actor.actor_id, actor.session_id, now, "sign-out")


async def end_all(tx: Tx, actor_id: UUID, reason: str, now: datetime) -> None:
    """End every session of an actor at once."""
    await queries.END_SESSIONS_OF_ACTOR.run(tx, actor_id, now, reason)


def _tokens(
    actor_id: UUID, session_id: UUID, access: bytes, refresh_secret: bytes, life: timedelta
) -> Tokens:
    return Tokens(
        access_token=write_token(actor_id.bytes, access),
        expires_in_seconds=int(life.total_seconds()),
        refresh_token=write_token(actor_id.bytes, session_id.bytes, refresh_secret),
    )
