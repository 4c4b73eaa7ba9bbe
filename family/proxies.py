"""Adult proxies: invited by a signed act, accepted in the proxy's own login (consent.md §6)."""

import hashlib
import secrets
from base64 import b32encode
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import rfc8785
from msgspec import Struct

from audit.service import record_act
from family import queries
from family.models import Found, InvitationRow, Scope
from family.policy import (
    ADULT_AGE,
    INVITATION_LIFE,
    INVITATIONS_MAX,
    PROXIES_MAX,
    PROXY_LIFE_MAX,
    is_of_age,
)
from family.problems import (
    INVITATIONS_TOO_MANY,
    LINK_DISPUTED,
    PROXIES_TOO_MANY,
    PROXY_CODE_REFUSED,
    PROXY_INVALID,
    UNKNOWN_LINK,
)
from identity import budgets
from identity.devices import list_devices, verify_step_up
from identity.merges.aliases import is_held
from identity.people import LIVING, lock_people, person_card, resolve_present
from identity.problems import STEP_UP_REFUSED
from kernel.access import Access, Actor
from kernel.clock import end_of_day, local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing
from store.outbox import emit

INVITE_TYP: Final = "proxy-invite"
RENEW_TYP: Final = "proxy-renew"
CODE_BYTES: Final = 16


class SignedBy(Struct, frozen=True, kw_only=True):
    """What the device put into the signed text besides the act, and its signature."""

    nonce: str
    iat: int
    exp: int
    signature: str


class Invitation(Struct, frozen=True, kw_only=True):
    """The code goes to the relative by hand; nobody can show it again."""

    invitation_id: UUID
    code: str
    scopes: list[Scope]
    until: date
    expires_at: datetime


class Accepted(Struct, frozen=True, kw_only=True):
    """For whom one acts from now on."""

    patient_id: UUID
    name: str | None
    scopes: list[str]
    until: datetime


def act_text(
    typ: str, actor: Actor, signed: SignedBy, environment: str, more: dict[str, Any]
) -> dict[str, Any]:
    """What the device signs for an act between relatives: JCS of this."""
    return {
        "typ": typ,
        "environment": environment,
        "patient_id": str(actor.actor_id),
        "device_id": str(actor.device_id),
        "nonce": signed.nonce,
        "iat": signed.iat,
        "exp": signed.exp,
    } | more


async def check_act(
    tx: Tx,
    actor: Actor,
    typ: str,
    signed: SignedBy,
    more: dict[str, Any],
    *,
    environment: str,
    now: datetime,
) -> Refused | None:
    """Whether the own device signed this act now (security.md S11)."""
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    text = rfc8785.dumps(act_text(typ, actor, signed, environment, more))
    holds = await verify_step_up(
        tx, actor.actor_id, actor.device_id, typ, text, signed.signature, now, environment=environment
    )
    return holds if isinstance(holds, Refused) else None


async def invite(
    tx: Tx,
    access: Access,
    scopes: Sequence[Scope],
    until: date,
    signed: SignedBy,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Invitation | Refused:
    """A one-use code of 128 bits for 24 hours; three wait at most, counted under the person's own lock.

    Signed: typ `proxy-invite`, scopes (sorted), until.
    """
    me = access.patient_id
    if not scopes or not in_time(until, now):
        return Refused(problem=PROXY_INVALID)
    chosen = sorted(set(scopes))
    more = {"scopes": chosen, "until": until.isoformat()}
    refused = await check_act(tx, access.actor, INVITE_TYP, signed, more, environment=environment, now=now)
    if refused is not None:
        return refused
    await lock_people(tx, me)
    if len(await queries.OPEN_OFFERS.all(tx, me, now)) >= INVITATIONS_MAX:
        return Refused(problem=INVITATIONS_TOO_MANY)
    made = await offer(tx, me, chosen, until, now + INVITATION_LIFE, now)
    await record_act(tx, me, access.actor, "family:proxy:invite", request_id=trace_id, now=now)
    return made


async def offer(
    tx: Tx,
    patient_id: UUID,
    scopes: list[Scope],
    until: date,
    expires_at: datetime,
    now: datetime,
    *,
    facility_id: UUID | None = None,
    for_number: bytes | None = None,
) -> Invitation:
    """Write an offer and the code that leads to it. for_number: sealed, who alone may take it."""
    invitation_id, code = uuid7(now), b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=")
    last = end_of_day(until)
    await queries.INSERT_INVITATION.run(
        tx, hash_of(code), invitation_id, patient_id, scopes, last, now, expires_at
    )
    await queries.INSERT_OFFER.run(
        tx, patient_id, invitation_id, scopes, last, now, expires_at, facility_id, for_number
    )
    return Invitation(
        invitation_id=invitation_id, code=code, scopes=scopes, until=until, expires_at=expires_at
    )


async def accept(
    tx: Tx, keys: KeyRing, access: Access, code: str, *, trace_id: str, now: datetime
) -> Accepted | Refused:
    """Use the code up and stand as a proxy; at most 8 at once, counted under the person's own lock."""
    me = access.patient_id
    spent = await budgets.charge_or_refuse(tx, budgets.PROXY_CODES_DAY, budgets.subject(me.bytes), now)
    if spent is not None:
        return spent
    found = await queries.FIND_INVITATION.one(tx, hash_of(code), now)
    if found is None or found.patient_id == me:
        return Refused(problem=PROXY_CODE_REFUSED)
    state, _ = await lock_people(tx, found.patient_id, me)
    if state not in LIVING or not await _is_for(tx, keys, found, me, now):
        # Somebody else's code stays good for whose it is.
        return Refused(problem=PROXY_CODE_REFUSED)
    if (await queries.COUNT_PROXIES.one(tx, found.patient_id, me, now) or 0) >= PROXIES_MAX:
        return Refused(problem=PROXIES_TOO_MANY)
    used = await queries.TAKE_OFFER.one(tx, found.patient_id, now, found.invitation_id)
    if used is None or await is_held(tx, found.patient_id, used.created_at):
        return Refused(problem=PROXY_CODE_REFUSED)
    await queries.DROP_INVITATION.run(tx, hash_of(code))
    return await _stand(tx, keys, access, used, trace_id, now)


async def _is_for(tx: Tx, keys: KeyRing, found: Found, me: UUID, now: datetime) -> bool:
    """Whether this person may take the offer: one of a desk names who, by a number that was proven, and is
    dead once whose book it is has a device to let others act with (security.md S8)."""
    offers = await queries.OPEN_OFFERS.all(tx, found.patient_id, now)
    sealed = next((one.for_number for one in offers if one.invitation_id == found.invitation_id), None)
    if sealed is None:
        return True
    number = unseal(keys, found.patient_id, "proxy_offer", "for_number", sealed)
    if await resolve_present(tx, keys, "national-id", number, now) != me:
        return False
    return not await has_own_way(tx, keys, found.patient_id, now)


async def has_own_way(tx: Tx, keys: KeyRing, person: UUID, now: datetime) -> bool:
    """Whether a desk writes no proxy for somebody: with a device of the own, a child, or a closed book."""
    card, devices = await person_card(tx, keys, person), await list_devices(tx, keys, person)
    if card is None or card.state not in LIVING or devices:
        return True
    return not is_of_age(card.birth_date, ADULT_AGE, local_day(now))


async def _stand(
    tx: Tx, keys: KeyRing, access: Access, used: InvitationRow, trace_id: str, now: datetime
) -> Accepted | Refused:
    me, person_id, link_id = access.patient_id, used.patient_id, uuid7(now)
    if (
        await queries.PUT_PROXY.one(tx, person_id, me, link_id, used.scopes, now, used.until, None, None)
        is None
    ):
        return Refused(problem=PROXY_CODE_REFUSED)
    await queries.PUT_PROXY_BY_PROXY.run(tx, me, person_id, link_id, now, used.until)
    card, own = await person_card(tx, keys, person_id), await person_card(tx, keys, me)
    named = Actor(
        kind="citizen", actor_id=me, device_id=access.actor.device_id, name=(own.name if own else "") or ""
    )
    for book, actor in ((person_id, named), (me, access.actor)):
        await record_act(tx, book, actor, "family:proxy:accept", request_id=trace_id, now=now)
        await emit(tx, book, "family.linked", {"link_id": str(link_id)}, now)
    return Accepted(
        patient_id=person_id, name=card.name if card else None, scopes=used.scopes, until=used.until
    )


async def renew(
    tx: Tx,
    access: Access,
    proxy_id: UUID,
    until: date,
    signed: SignedBy,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Refused | None:
    """The person says again that a proxy stands. Signed: typ `proxy-renew`, proxy_id, until."""
    me = access.patient_id
    await lock_people(tx, me)
    if not in_time(until, now):
        return Refused(problem=PROXY_INVALID)
    more = {"proxy_id": str(proxy_id), "until": until.isoformat()}
    refused = await check_act(tx, access.actor, RENEW_TYP, signed, more, environment=environment, now=now)
    if refused is not None:
        return refused
    if await queries.RENEW_PROXY.one(tx, me, proxy_id, end_of_day(until), now) is None:
        stands = any(row.proxy_id == proxy_id for row in await queries.PROXIES_OF.all(tx, me, now))
        return Refused(problem=LINK_DISPUTED if stands else UNKNOWN_LINK)
    await queries.RENEW_PROXY_BY_PROXY.run(tx, proxy_id, me, end_of_day(until), now)
    await record_act(tx, me, access.actor, "family:proxy:renew", request_id=trace_id, now=now)
    return None


def in_time(until: date, now: datetime) -> bool:
    """Whether a last day is at most 12 months away and not over."""
    today = local_day(now)
    return today <= until <= today + PROXY_LIFE_MAX - timedelta(days=1)


def hash_of(code: str) -> bytes:
    return hashlib.sha256("".join(code.split()).upper().replace("-", "").encode()).digest()
