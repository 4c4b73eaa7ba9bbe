"""Guardians, proxies and children for tests, made through the services."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from consent import relatives
from consent.decision import decide
from family import attesting, proxies
from family.attesting import Pair, Proposed
from family.models import Scope
from family.proxies import Accepted, Invitation, SignedBy
from identity import sessions
from identity.births import service as births
from identity.sessions import authenticate
from kernel.access import Access, Action, Actor
from kernel.clock import VIETNAM, local_day
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import ENVIRONMENT, TRACE
from tests.support.people import Citizen, Facility, make_doctor, make_facility, make_person
from tests.support.phone import base64url


def midnight(day: date) -> datetime:
    """The first instant of a day in Vietnam."""
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM)


async def make_child(
    store: Store,
    clock: FrozenClock,
    mother: Citizen,
    birth_date: str = "2024-03-12",
    name: str = "Trần Bé Thử",
) -> UUID:
    """A child with a book and no account, linked to the mother by the birth note."""
    child, _ = await make_person(store, clock, name=name, birth_date=birth_date)
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    return child


async def sign(citizen: Citizen, typ: str, more: dict[str, Any], now: datetime) -> SignedBy:
    """An act between relatives as the app signs it."""
    instant = int(now.timestamp())
    unsigned = SignedBy(
        nonce=base64url(secrets.token_bytes(16)), iat=instant, exp=instant + 120, signature=""
    )
    text = citizen.phone.act(typ, more | {"nonce": unsigned.nonce}, now)
    return SignedBy(
        nonce=unsigned.nonce,
        iat=unsigned.iat,
        exp=unsigned.exp,
        signature=citizen.phone.step_up_key.sign(text),
    )


async def access_of(store: Store, person: Citizen, action: Action, now: datetime) -> Access:
    found = await decided(store, person, action, now)
    assert isinstance(found, Access), found
    return found


async def decided(store: Store, person: Citizen, action: Action, now: datetime) -> Access | Refused:
    """The decision in the own book."""
    async with store.transaction() as tx:
        return await decide(tx, person.actor, person.patient_id, action, "PATRQT", now, keys=store.keys)


async def invite(
    store: Store, clock: FrozenClock, person: Citizen, *scopes: Scope, days: int = 300
) -> Invitation | Refused:
    now = clock.now()
    until = local_day(now) + timedelta(days=days)
    more = {"scopes": sorted(scopes), "until": until.isoformat()}
    signed = await sign(person, proxies.INVITE_TYP, more, now)
    access = await decided(store, person, "make-proxy", now)
    if isinstance(access, Refused):
        return access
    async with store.transaction() as tx:
        return await proxies.invite(
            tx,
            access,
            scopes,
            until,
            signed,
            environment=ENVIRONMENT,
            trace_id=TRACE,
            now=now,
        )


async def accept(store: Store, clock: FrozenClock, proxy: Citizen, code: str) -> Accepted | Refused:
    access = await decided(store, proxy, "make-proxy", clock.now())
    if isinstance(access, Refused):
        return access
    async with store.transaction() as tx:
        return await proxies.accept(tx, store.keys, access, code, trace_id=TRACE, now=clock.now())


async def make_proxy(
    store: Store, clock: FrozenClock, person: Citizen, proxy: Citizen, *scopes: Scope
) -> Accepted:
    invitation = await invite(store, clock, person, *scopes)
    assert isinstance(invitation, Invitation), invitation
    accepted = await accept(store, clock, proxy, invitation.code)
    assert isinstance(accepted, Accepted), accepted
    return accepted


async def here(*_: object) -> bool:
    """Everybody arrived."""
    return True


async def attest(
    store: Store,
    clock: FrozenClock,
    pair: Pair,
    role: Any = "clerk",
    arrived: Any = here,
    at: tuple[Facility, Facility] | None = None,
) -> Any:
    """Two accounts attest, of one facility where none is named; None, or what refused it."""
    here_ = await make_facility(store, clock) if at is None else None
    first, second = [
        (await make_doctor(store, clock, one, role=role)).actor for one in at or (here_, here_) if one
    ]
    async with store.transaction() as tx:
        made = await attesting.propose(
            tx, store.keys, first, pair, arrived, request_id=TRACE, now=clock.now()
        )
    if not isinstance(made, Proposed):
        return made
    async with store.transaction() as tx:
        return await relatives.confirm_guardianship(
            tx, store.keys, second, made.proposal_id, True, arrived, request_id=TRACE, now=clock.now()
        )


async def may(
    store: Store, clock: FrozenClock, who: Citizen, patient_id: UUID, action: Action = "read-summary"
) -> Access | str:
    """The decision for a relative with a fresh session: an Access, or the code of the refusal."""
    actor = await actor_now(store, clock, who)
    async with store.transaction() as tx:
        decided = await decide(tx, actor, patient_id, action, "PATRQT", clock.now(), keys=store.keys)
    return decided.problem.code if isinstance(decided, Refused) else decided


async def actor_now(store: Store, clock: FrozenClock, who: Citizen) -> Actor:
    """The signed-in actor as the next request finds it; the session is opened anew where time passed."""
    async with store.transaction() as tx:
        assert who.phone.device_id is not None
        tokens = await sessions.open_citizen_session(tx, who.patient_id, who.phone.device_id, clock.now())
        actor = await authenticate(tx, tokens.access_token, clock.now())
    assert actor is not None
    who.tokens, who.token = tokens, tokens.access_token
    return actor
