"""What a new security epoch leaves of sessions and grants (security.md S12)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from identity import sessions
from identity.problems import SESSION_ENDED
from kernel.access import Access
from kernel.problems import Refused
from store.blobs import BlobStore
from store.database import Store
from store.keys import KeyRing
from store.postgres import Server
from tests.consent.test_holds import confirm, held_for_citizen, held_for_doctor, sign
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_doctor, make_facility, sign_in_again
from tests.support.restored import Own, new_epoch, own_database


@pytest.fixture
async def own(
    server: Server, make_database: Callable[[], Awaitable[str]], keys: KeyRing, blobs: BlobStore
) -> AsyncIterator[Own]:
    async with own_database(server, make_database, keys, blobs) as both:
        yield both


async def _known(store: Store, token: str, clock: FrozenClock) -> bool:
    async with store.transaction() as tx:
        return await sessions.authenticate(tx, token, clock.now()) is not None


async def test_s12_sessions_and_refresh_families_of_an_older_epoch_are_dead(
    own: Own, clock: FrozenClock
) -> None:
    store, owner = own
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    assert await _known(store, citizen.token, clock)
    assert await _known(store, doctor.token, clock)
    clock.advance(minutes=1)
    await new_epoch(owner, clock)
    assert not await _known(store, citizen.token, clock)
    assert not await _known(store, doctor.token, clock)
    token, issued_at, signature = citizen.phone.sign_refresh(citizen.tokens, clock.now())
    async with store.transaction() as tx:
        refused = await sessions.refresh(tx, store.keys, token, issued_at, signature, clock.now())
    assert isinstance(refused, Refused)
    assert refused.problem is SESSION_ENDED
    async with store.transaction() as tx:
        assert citizen.actor.device_id is not None
        opened = await sessions.open_citizen_session(
            tx, citizen.patient_id, citizen.actor.device_id, clock.now()
        )
    assert await _known(store, opened.access_token, clock)


async def test_s12_a_grant_that_lived_at_the_recovery_point_is_held_until_its_citizen_confirms(
    own: Own, clock: FrozenClock
) -> None:
    store, owner = own
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    grant = await steps.granted(
        store, clock, doctor, citizen, tier="A", duration_seconds=int(timedelta(days=7).total_seconds())
    )
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    clock.advance(minutes=1)
    await new_epoch(owner, clock)
    await sign_in_again(store, clock, doctor)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    assert await held_for_citizen(store, clock, citizen) == {grant.grant_id}
    assert await held_for_doctor(store, clock, doctor) == [True]
    clock.advance(seconds=1)
    confirmed = await confirm(store, clock, citizen, grant.grant_id, sign(citizen, grant, clock))
    assert not isinstance(confirmed, Refused)
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    assert await held_for_doctor(store, clock, doctor) == [False]
