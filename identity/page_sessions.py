"""Sessions of pages (docs/decisions/0013-page-sessions.md): one token for a browser's cookie, never renewed,
which ends after 15 idle minutes and after 12 hours.

open_by_letters    letters and PIN were right: a session without a device, which signs nothing
open_by_identity   the identity provider said who this is: the same, and it reads the own book (`proven`)
enrol_browser      just behind that door the browser makes a key: now the session stands on that device
return_to_device   a browser that has a key shows it: the session stands on that same device

Whoever stands behind a door knows its secret, which no cookie carries: a stolen session registers no key
(security.md S11). It counts for ten minutes and until the session has its device.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.service import record_act
from identity import devices, people, queries, sign_in
from identity.accounts.enrolment import AGE_MIN
from identity.accounts.problems import IDENTITY_AT_DESK
from identity.devices import STEP_UP_LIFE, BrowserOrigin, NewDevice, enrol, log_enrolment, verify_step_up
from identity.doors import door_secret, is_door_of
from identity.models import Device
from identity.people import IdentifierClaim, Matched, PersonClaim
from identity.policy import is_below
from identity.problems import DEVICE_ON_PROBATION, NO_SUCH_DEVICE, SESSION_ENDED
from identity.sessions import IDLE_LIFE, authenticate
from identity.sign_in import PendingPin
from identity.signatures import canonical
from identity.tokens import digest, new_secret, to_base64url, write_token
from identity.verification.models import Verified
from kernel.access import Actor
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

PAGE_LIFE: Final = timedelta(hours=12)
DOOR_LIFE: Final = timedelta(minutes=10)
_DOOR: Final = b"page-door\0"
TOLD_AFTER: Final = timedelta(minutes=2)
KEYLESS_NAME: Final = "Trình duyệt không có khóa"
RETURN_TYP: Final = "page-sign-in"


class PageSession(Struct, frozen=True, kw_only=True):
    """token: of the cookie. door: what a form just behind the door brings along. device_id: whose key the
    session may sign with."""

    patient_id: UUID
    session_id: UUID
    token: str
    door: str
    device_id: UUID | None = None


class KnownKey(Struct, frozen=True, kw_only=True):
    """The key that this browser made earlier. text: what it signs to stand for its device again."""

    device_id: UUID
    credential_id: str
    text: str


async def open_by_letters(
    tx: Tx, keys: KeyRing, pending: PendingPin, pin_held: bool, *, request_id: str, now: datetime
) -> PageSession | Refused:
    """Use the challenge up and open a session without a device. Refused: as `sign_in.finish`."""
    refused = await sign_in.settle(tx, keys, pending, pin_held, now)
    if refused is not None:
        return refused
    await sign_in.let_in(tx, pending, now)
    return await _open(tx, keys, pending.patient_id, request_id, now)


async def open_by_identity(
    tx: Tx, keys: KeyRing, said: Verified, *, request_id: str, now: datetime
) -> PageSession | Refused:
    """Open the book of whom the provider named at level 2, if name, birth date and sex agree (S17).

    Refused: identity-at-desk, the same for a number that nobody has, for other data than the book's, for a
    book that is closed or went into another, and below six.
    """
    patient_id = await _book_of(tx, keys, said, now)
    if patient_id is None:
        return Refused(problem=IDENTITY_AT_DESK)
    return await _open(tx, keys, patient_id, request_id, now, proven_at=now)


async def _book_of(tx: Tx, keys: KeyRing, said: Verified, now: datetime) -> UUID | None:
    if said.number is None or not said.name or not said.birth_date:
        return None
    if is_below(said.birth_date, AGE_MIN, local_day(now)):
        return None
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", said.number)],
        name=said.name,
        birth_date=said.birth_date,
        sex=said.sex,
    )
    found = await people.match_person(tx, keys, claim, None, now)
    present = await people.resolve_present(tx, keys, "national-id", said.number, now)
    if not isinstance(found, Matched) or found.patient_id != present:
        return None
    return present if await people.living(tx, present) is not None else None


async def enrol_browser(
    tx: Tx,
    keys: KeyRing,
    token: str,
    door: str,
    device: NewDevice,
    *,
    request_id: str,
    now: datetime,
    origin: BrowserOrigin | None,
) -> PageSession | Refused:
    """Enrol this browser, on probation as any device that no older one answered for; a new token.

    The browser signs its enrolment with the door's secret as challenge. Refused: session-ended,
    device-key-refused, too-many-devices; the session without a device stays as it is then.
    """
    actor = await _at_door(tx, keys, token, door, now)
    if actor is None or device.kind != "browser":
        return Refused(problem=SESSION_ENDED)
    enrolled = await enrol(tx, keys, actor.actor_id, device, door, now, origin)
    if isinstance(enrolled, Refused):
        return enrolled
    await log_enrolment(tx, actor.actor_id, enrolled, request_id, now)
    return await _moved_to(tx, keys, actor, enrolled.device_id, now)


async def known_keys(
    tx: Tx, session: PageSession, device_ids: list[UUID], environment: str, now: datetime
) -> list[KnownKey]:
    """Which of these devices are browsers of this very person with a usable key. device_ids: from the cookie,
    which names devices of everybody who signed in here."""
    found = []
    for device_id in device_ids:
        row = await devices.usable_device(tx, session.patient_id, device_id)
        credential = None if row is None else devices.credential_of(row)
        if credential is not None:
            text = _return_text(session, device_id, environment, now)
            found.append(KnownKey(device_id=device_id, credential_id=credential, text=text))
    return found


def _return_text(session: PageSession, device_id: UUID, environment: str, now: datetime) -> str:
    instant = int(now.timestamp())
    said: dict[str, str | int] = {
        "typ": RETURN_TYP,
        "environment": environment,
        "patient_id": str(session.patient_id),
        "device_id": str(device_id),
        "session_id": str(session.session_id),
        "nonce": to_base64url(secrets.token_bytes(16)),
        "iat": instant,
        "exp": instant + int(STEP_UP_LIFE.total_seconds()),
    }
    return canonical(said).decode()


async def return_to_device(
    tx: Tx,
    keys: KeyRing,
    token: str,
    door: str,
    text: str,
    signature: str,
    *,
    environment: str,
    now: datetime,
) -> PageSession | Refused:
    """Stand on the device whose key signed `text`, which was made for this session; a new token.

    Refused: session-ended, step-up-refused.
    """
    actor = await _at_door(tx, keys, token, door, now)
    if actor is None or not _is_for(text, actor):
        return Refused(problem=SESSION_ENDED)
    shown = await verify_step_up(
        tx, actor.actor_id, None, RETURN_TYP, text.encode(), signature, now, environment=environment
    )
    return shown if isinstance(shown, Refused) else await _moved_to(tx, keys, actor, shown.device_id, now)


def _is_for(text: str, actor: Actor) -> bool:
    try:
        said = msgspec.json.decode(text, type=dict[str, str | int])
    except msgspec.MsgspecError:
        return False
    return said.get("session_id") == str(actor.session_id)


async def session_at_door(
    tx: Tx, keys: KeyRing, token: str, door: str, now: datetime
) -> PageSession | Refused:
    """The session whose door this is, while it may still get a device."""
    actor = await _at_door(tx, keys, token, door, now)
    if actor is None or actor.session_id is None:
        return Refused(problem=SESSION_ENDED)
    return PageSession(patient_id=actor.actor_id, session_id=actor.session_id, token=token, door=door)


async def keyless(tx: Tx, patient_id: UUID, now: datetime) -> list[Device]:
    """Browsers that are signed in without a key, as the person sees them among the devices: such a one may do
    less for as long as it lasts."""
    return [
        Device(
            device_id=row.session_id,
            kind="browser",
            name=KEYLESS_NAME,
            enrolled_at=row.started_at,
            probation_until=row.expires_at,
        )
        for row in await queries.LIVE_KEYLESS_SESSIONS.all(tx, patient_id, now)
    ]


async def end_keyless(
    tx: Tx, actor: Actor, session_id: UUID, *, request_id: str, now: datetime
) -> Refused | None:
    """End one of them at once, as `devices.end_device` ends a device. Refused: device-on-probation to another
    that is on probation itself, no-such-device."""
    if actor.probation and session_id != actor.session_id:
        return Refused(problem=DEVICE_ON_PROBATION)
    if await queries.END_KEYLESS_SESSION.one(tx, actor.actor_id, session_id, now) is None:
        return Refused(problem=NO_SUCH_DEVICE)
    await record_act(tx, actor.actor_id, actor, "identity:device:end", request_id=request_id, now=now)
    return None


async def came_to_a_device(tx: Tx, patient_id: UUID, session_id: UUID) -> bool:
    """Whether a browser that signed in made or showed its key."""
    return await queries.CAME_TO_A_DEVICE.one(tx, patient_id, session_id) is True


async def _at_door(tx: Tx, keys: KeyRing, token: str, door: str, now: datetime) -> Actor | None:
    actor = await authenticate(tx, token, now)
    if actor is None or actor.kind != "citizen" or actor.session_id is None:
        return None
    if actor.device_id is not None or actor.held:
        return None
    if not is_door_of(keys, _DOOR, actor.session_id, door):
        return None
    started = await queries.SESSION_STARTED.one(tx, actor.actor_id, actor.session_id)
    return actor if started is not None and now < started + DOOR_LIFE else None


async def _moved_to(
    tx: Tx, keys: KeyRing, actor: Actor, device_id: UUID, now: datetime
) -> PageSession | Refused:
    assert actor.session_id is not None
    ended = await queries.END_SESSION.one(tx, actor.actor_id, actor.session_id, now, "on-its-device")
    if ended is None:
        return Refused(problem=SESSION_ENDED)
    proven_at = now if actor.proven else None
    return await _insert(tx, keys, actor.actor_id, device_id, now, proven_at)


async def _open(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    request_id: str,
    now: datetime,
    *,
    proven_at: datetime | None = None,
) -> PageSession:
    opened = await _insert(tx, keys, patient_id, None, now, proven_at)
    actor = Actor(kind="citizen", actor_id=patient_id)
    await record_act(tx, patient_id, actor, "identity:session:open", request_id=request_id, now=now)
    # A key that is made at the door is told by itself; what stays without one is told a little later (S8).
    ref = {"device_id": str(opened.session_id), "session_id": str(opened.session_id)}
    await emit(tx, patient_id, "identity.device-enrolled", ref, now + TOLD_AFTER)
    return opened


async def _insert(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    device_id: UUID | None,
    now: datetime,
    proven_at: datetime | None,
) -> PageSession:
    session_id, access = uuid7(now), new_secret()
    await queries.INSERT_PAGE_SESSION.run(
        tx,
        patient_id,
        session_id,
        device_id,
        digest(access),
        now + PAGE_LIFE,
        now + IDLE_LIFE,
        now,
        proven_at,
    )
    token = write_token(patient_id.bytes, access)
    return PageSession(
        patient_id=patient_id,
        session_id=session_id,
        token=token,
        door=door_secret(keys, _DOOR, session_id),
        device_id=device_id,
    )
