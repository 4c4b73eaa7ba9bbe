"""Devices of a person: two keys and a HOTP secret each, enrolled only at a door (security.md S11)."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from audit.service import record_act
from identity import queries
from identity.models import Device, DeviceRow
from identity.policy import DEVICES_MAX, PROBATION
from identity.problems import (
    DEVICE_KEY_REFUSED,
    DEVICE_ON_PROBATION,
    NO_SUCH_DEVICE,
    STEP_UP_REFUSED,
    TOO_MANY_DEVICES,
)
from identity.signatures import (
    Jwk,
    WebAuthnKey,
    canonical,
    es256_holds,
    is_canonical,
    public_key,
    webauthn_count,
    webauthn_registration,
)
from identity.tokens import from_base64url, to_base64url
from identity.undo import put_back
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit

STEP_UP_LIFE = timedelta(minutes=5)
CLOCK_SKEW = timedelta(minutes=1)
NONCE_BYTES_MIN = 16
HOTP_SECRET_BYTES = 32


class NewDevice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device that asks to be enrolled.

    app: both keys are JWKs and both sign `enrolment_text`. browser: step_up_registration is the JSON
    of navigator.credentials.create() and step_up_key stays empty. user_present says that the key
    store asked for the person; without it nothing is enrolled.

    name: as the person's list of devices shows it. user_present: whether the key store asked for the person.
    refresh_proof, step_up_proof: each key's signature of `enrolment_text`, base64url.
    """

    kind: Literal["app", "browser"] = "app"
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    user_present: bool
    refresh_key: Jwk
    refresh_proof: Annotated[str, Meta(max_length=100)]
    step_up_key: Jwk | None = None
    step_up_proof: Annotated[str, Meta(max_length=100)] | None = None
    step_up_registration: Annotated[str, Meta(max_length=8192)] | None = None


class BrowserOrigin(Struct, frozen=True):
    """Where browser credentials of this installation may be used, e.g. `https://so.example.vn`."""

    origin: str

    @property
    def rp_id(self) -> str:
        """The WebAuthn relying party id: the origin's host alone."""
        return urlsplit(self.origin).hostname or ""


class Enrolled(Struct, frozen=True, kw_only=True):
    """hotp_secret: base64url. known: the phone was enrolled before and proved both of its keys again."""

    device_id: UUID
    hotp_secret: str
    probation_until: datetime
    known: bool = False


class StepUp(Struct, frozen=True, kw_only=True):
    """A signed act holds. body_sha256 goes into the artefact beside the signature."""

    device_id: UUID
    probation: bool
    body_sha256: bytes


class _SignedAct(Struct, frozen=True):
    """What every signed act names; the rest of the text belongs to whoever asked for it."""

    typ: str
    environment: str
    patient_id: UUID
    device_id: UUID
    nonce: str
    iat: int
    exp: int


def enrolment_text(challenge: str, refresh_key: Jwk, step_up_key: Jwk | None) -> bytes:
    """What the keys of a new device sign: JCS {typ, challenge, refresh_x, step_up_x, user_present}.

    challenge: the activation code or the challenge id of the sign-in.
    """
    return canonical(
        {
            "typ": "device-enrolment",
            "challenge": challenge,
            "refresh_x": refresh_key.x,
            "step_up_x": step_up_key.x if step_up_key else "",
            "user_present": "yes",
        }
    )


def proven_step_up_key(device: NewDevice, challenge: str, origin: BrowserOrigin | None) -> str | None:
    """The step-up key as kept in the row, once both keys proved themselves; None when they did not.

    origin: where a browser must have made its credential; without one no browser is enrolled.
    """
    text = enrolment_text(challenge, device.refresh_key, device.step_up_key)
    if not device.user_present or not es256_holds(device.refresh_key, text, device.refresh_proof):
        return None
    if device.kind == "browser":
        if origin is None:
            return None
        made = webauthn_registration(device.step_up_registration or "", text, origin.rp_id, origin.origin)
        return None if made is None else msgspec.json.encode(made).decode()
    key = device.step_up_key
    # One key for both would let a stolen refresh key approve.
    if key is None or key == device.refresh_key or public_key(key) is None:
        return None
    return msgspec.json.encode(key).decode() if es256_holds(key, text, device.step_up_proof or "") else None


async def make_room(
    tx: Tx,
    patient_id: UUID,
    device: NewDevice,
    challenge: str,
    *,
    request_id: str,
    now: datetime,
    origin: BrowserOrigin | None,
) -> None:
    """A redemption in presence ends the oldest of five devices, and the others are told.

    Whoever lost five phones has no session to end one with. What that device's own activation replaced is
    not put back: the person stands at a desk and sets PIN and phone anew.
    """
    await queries.LOCK_CITIZEN.one(tx, patient_id)
    live = await queries.LIVE_DEVICES.all(tx, patient_id)
    step_up_key = proven_step_up_key(device, challenge, origin)
    if len(live) < DEVICES_MAX or step_up_key is None or _same_phone(live, device, step_up_key) is not None:
        return
    by_desk = Actor(kind="citizen", actor_id=patient_id)
    await _end(tx, by_desk, live[0].device_id, "replaced-in-presence", request_id, now)


def _same_phone(live: list[DeviceRow], device: NewDevice, step_up_key: str) -> DeviceRow | None:
    """The live device with exactly these two keys: the phone of somebody who had signed out."""
    refresh_key = msgspec.json.encode(device.refresh_key).decode()
    same = (row for row in live if row.refresh_key == refresh_key and row.step_up_key == step_up_key)
    return next(same, None)


async def enrol(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    device: NewDevice,
    challenge: str,
    now: datetime,
    origin: BrowserOrigin | None = None,
    *,
    probation_until: datetime | None = None,
) -> Enrolled | Refused:
    """Add a device, on probation for 72 hours (S8), and tell the others. At most 5 live ones.

    probation_until: another end of it, for the device that an empty book begins with.

    A phone that comes back with the keys of a live device is that device: no second row, no new probation.
    """
    await queries.LOCK_CITIZEN.one(tx, patient_id)
    step_up_key = proven_step_up_key(device, challenge, origin)
    if step_up_key is None:
        return Refused(problem=DEVICE_KEY_REFUSED, where="device")
    live = await queries.LIVE_DEVICES.all(tx, patient_id)
    row = _same_phone(live, device, step_up_key)
    if row is not None:
        await queries.PROVE_DEVICE.run(tx, patient_id, row.device_id, now)
        return _come_back(keys, row)
    if len(live) >= DEVICES_MAX:
        return Refused(problem=TOO_MANY_DEVICES)
    device_id, secret = uuid7(now), to_base64url(secrets.token_bytes(HOTP_SECRET_BYTES))
    until = probation_until or now + PROBATION
    await queries.INSERT_DEVICE.run(
        tx,
        patient_id,
        device_id,
        device.kind,
        seal(keys, patient_id, "device", "name", device.name),
        msgspec.json.encode(device.refresh_key).decode(),
        step_up_key,
        0,
        seal(keys, patient_id, "device", "hotp_secret", secret),
        now,
        until,
    )
    await emit(tx, patient_id, "identity.device-enrolled", {"device_id": str(device_id)}, now)
    return Enrolled(device_id=device_id, hotp_secret=secret, probation_until=until)


def _come_back(keys: KeyRing, row: DeviceRow) -> Enrolled:
    return Enrolled(
        device_id=row.device_id,
        hotp_secret=unseal(keys, row.patient_id, "device", "hotp_secret", row.hotp_secret),
        probation_until=row.probation_until,
        known=True,
    )


async def log_enrolment(tx: Tx, patient_id: UUID, enrolled: Enrolled, request_id: str, now: datetime) -> None:
    """The new device in the person's log; one that came back is none."""
    if enrolled.known:
        return
    actor = Actor(kind="citizen", actor_id=patient_id, device_id=enrolled.device_id)
    await record_act(tx, patient_id, actor, "identity:device:enrol", request_id=request_id, now=now)


async def verify_step_up(
    tx: Tx,
    patient_id: UUID,
    device_id: UUID | None,
    typ: str,
    body: bytes,
    signature: str,
    now: datetime,
    *,
    environment: str,
) -> StepUp | Refused:
    """Check a signed step-up act, once: the nonce is spent (security.md S11).

    body: JCS with typ, environment, patient_id, device_id, nonce (≥ 16 bytes base64url), iat and exp
    (epoch seconds, at most 5 minutes apart) besides what the act itself names. device_id: that of
    the session. signature: r‖s base64url, or the JSON of a WebAuthn assertion for a browser.
    environment: this installation's; an act signed for another one is refused.
    """
    act = _read_act(body)
    if act is None or act.environment != environment or not _fits(act, patient_id, device_id, typ, now):
        return Refused(problem=STEP_UP_REFUSED)
    device = await queries.USABLE_DEVICE.one(tx, patient_id, act.device_id)
    if device is None or not await _signature_holds(tx, device, body, signature):
        return Refused(problem=STEP_UP_REFUSED)
    until = datetime.fromtimestamp(act.exp, now.tzinfo)
    spent = hashlib.sha256(act.nonce.encode()).digest()
    await queries.PURGE_STEP_UP_NONCES.run(tx, patient_id, now - STEP_UP_LIFE)
    if await queries.USE_STEP_UP_NONCE.one(tx, patient_id, spent, until) is None:
        return Refused(problem=STEP_UP_REFUSED)
    return StepUp(
        device_id=device.device_id,
        probation=device.probation_until > now,
        body_sha256=hashlib.sha256(body).digest(),
    )


def _read_act(body: bytes) -> _SignedAct | None:
    if not is_canonical(body):
        return None
    try:
        return msgspec.json.decode(body, type=_SignedAct)
    except msgspec.MsgspecError:
        return None


def _fits(act: _SignedAct, patient_id: UUID, device_id: UUID | None, typ: str, now: datetime) -> bool:
    nonce, instant = from_base64url(act.nonce), now.timestamp()
    return (
        act.typ == typ
        and act.patient_id == patient_id
        and (device_id is None or act.device_id == device_id)
        and nonce is not None
        and len(nonce) >= NONCE_BYTES_MIN
        and act.iat <= instant + CLOCK_SKEW.total_seconds()
        and instant < act.exp <= act.iat + STEP_UP_LIFE.total_seconds()
    )


async def _signature_holds(tx: Tx, device: DeviceRow, body: bytes, signature: str) -> bool:
    if device.kind == "app":
        return es256_holds(msgspec.json.decode(device.step_up_key, type=Jwk), body, signature)
    key = msgspec.json.decode(device.step_up_key, type=WebAuthnKey)
    count = webauthn_count(key, body, signature, device.sign_count)
    if count is None:
        return False
    return await queries.ADVANCE_SIGN_COUNT.one(tx, device.patient_id, device.device_id, count) is not None


async def hotp_secret(tx: Tx, keys: KeyRing, patient_id: UUID, device_id: UUID) -> bytes | None:
    """The secret of tier C's eight digits; None for a device that ended."""
    row = await queries.USABLE_DEVICE.one(tx, patient_id, device_id)
    if row is None:
        return None
    return from_base64url(unseal(keys, patient_id, "device", "hotp_secret", row.hotp_secret))


async def list_devices(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[Device]:
    """The person's live devices, oldest first."""
    return [
        Device(
            device_id=row.device_id,
            kind=row.kind,
            name=unseal(keys, patient_id, "device", "name", row.name),
            enrolled_at=row.enrolled_at,
            probation_until=row.probation_until,
            credential_id=credential_of(row),
        )
        for row in await queries.LIVE_DEVICES.all(tx, patient_id)
    ]


def credential_of(row: DeviceRow) -> str | None:
    """The id of a browser's WebAuthn credential; None of a phone."""
    if row.kind == "app":
        return None
    return msgspec.json.decode(row.step_up_key, type=WebAuthnKey).credential_id


async def has_device(tx: Tx, patient_id: UUID) -> bool:
    """Whether the person has a live device, be it on probation or held."""
    return bool(await queries.LIVE_DEVICES.all(tx, patient_id))


async def usable_device(tx: Tx, patient_id: UUID, device_id: UUID) -> DeviceRow | None:
    """A device that lives and that no merge holds; it may be on probation."""
    return await queries.USABLE_DEVICE.one(tx, patient_id, device_id)


async def end_device(
    tx: Tx, actor: Actor, device_id: UUID, *, request_id: str, now: datetime
) -> Refused | None:
    """End a device and its sessions at once; the session alone suffices (S11).

    A device on probation may end only itself: else a thief would throw out the owner.
    """
    if actor.probation and device_id != actor.device_id:
        return Refused(problem=DEVICE_ON_PROBATION)
    if not await _end(tx, actor, device_id, "ended-by-person", request_id, now):
        return Refused(problem=NO_SUCH_DEVICE)
    await put_back(tx, actor.actor_id, device_id, now)
    return None


async def _end(tx: Tx, actor: Actor, device_id: UUID, reason: str, request_id: str, now: datetime) -> bool:
    """End the device and its sessions, in the person's log and told to the others; False without such one."""
    if await queries.END_DEVICE.one(tx, actor.actor_id, device_id, now, reason) is None:
        return False
    await queries.END_SESSIONS_OF_DEVICE.run(tx, actor.actor_id, device_id, now, "device-ended")
    await record_act(tx, actor.actor_id, actor, "identity:device:end", request_id=request_id, now=now)
    await emit(tx, actor.actor_id, "identity.device-ended", {"device_id": str(device_id)}, now)
    return True


async def end_everywhere(tx: Tx, patient_id: UUID, reason: str, now: datetime) -> None:
    """End every device of a person whose account ends; its sessions are ended by whoever calls this."""
    for row in await queries.LIVE_DEVICES.all(tx, patient_id):
        await queries.END_DEVICE.one(tx, patient_id, row.device_id, now, reason)


async def end_again(tx: Tx, patient_id: UUID, device_id: UUID, reason: str, now: datetime) -> None:
    """A device that was ended before a restored backup brought it back; nobody is told twice."""
    await queries.END_DEVICE.one(tx, patient_id, device_id, now, reason)
