"""Somebody proves who they are, from the device that asks to the claim."""

import secrets
from typing import Any
from uuid import UUID

from identity.ports import IdentityVerifier
from identity.tokens import to_base64url
from identity.verification import service
from identity.verification.models import Begun, Opened, Proven, Purpose, Started, Verified
from kernel.clock import Clock
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store

APP = "vn.example.ssk:/verified"


class Asking:
    """A device that asked: it keeps the secret."""

    def __init__(self) -> None:
        self.secret = secrets.token_bytes(32)

    @property
    def challenge(self) -> str:
        return service.challenge_of(self.secret)

    @property
    def kept(self) -> str:
        return to_base64url(self.secret)


async def begin(
    store: Store, clock: Clock, opened: Opened, asking: Asking, purpose: Purpose = "enrolment", **more: Any
) -> Begun:
    async with store.transaction() as tx:
        begun = await service.begin(
            tx,
            store.keys,
            opened,
            purpose=purpose,
            secret_challenge=asking.challenge,
            **{"return_to": APP, "now": clock.now(), **more},
        )
    assert not isinstance(begun, Refused)
    return begun


async def begin_at(
    store: Store, clock: Clock, verifier: IdentityVerifier, asking: Asking, purpose: Purpose = "enrolment"
) -> Begun:
    opened = await service.open_at(verifier, clock.now())
    assert not isinstance(opened, Refused)
    return await begin(store, clock, opened, asking, purpose)


def opened_somewhere(clock: Clock) -> Opened:
    """A transaction at a provider that nobody asks."""
    transaction_id = uuid7(clock.now())
    state = to_base64url(transaction_id.bytes + secrets.token_bytes(32))
    started = Started(address="https://id.example/authorize", kept="kept")
    return Opened(
        transaction_id=transaction_id,
        state=state,
        method="oidc",
        provider="https://id.example",
        started=started,
    )


async def come_back(store: Store, clock: Clock, state: str, result: Verified | Refused) -> str | Refused:
    """The browser is back and the provider said this; the receipt."""
    async with store.transaction() as tx:
        taken = await service.take(tx, store.keys, state, clock.now())
    if isinstance(taken, Refused):
        return taken
    async with store.transaction() as tx:
        landing = await service.conclude(tx, store.keys, taken[0], result, clock.now())
    return landing.address.partition("receipt=")[2]


async def claim(
    store: Store, clock: Clock, receipt: str, secret: str, purpose: Purpose = "enrolment", **more: Any
) -> Proven | Refused:
    async with store.transaction() as tx:
        return await service.claim(
            tx,
            store.keys,
            receipt,
            secret,
            purpose=purpose,
            **{"level_min": 2, "now": clock.now(), **more},
        )


async def uses(store: Store, verification_id: UUID) -> int:
    async with store.transaction() as tx:
        found: int = await tx.fetchval(
            "SELECT count(*) FROM identity_verification_use WHERE verification_id = $1", verification_id
        )
    return found
