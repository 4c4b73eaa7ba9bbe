"""The client of the other tests: its routes may have been used before, what it reads never was."""

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen

PATH = "/v1/me/summary"


async def test_a_client_reads_its_own_store_and_no_other(
    store: Store, fresh_store: Store, clock: FrozenClock
) -> None:
    headers = bearer((await make_citizen(store, clock)).token)
    async with client_of(store, clock) as here:
        async with client_of(fresh_store, clock) as there:
            assert (await there.get(PATH, headers=headers)).status_code == 401
            assert (await here.get(PATH, headers=headers)).status_code == 200
        assert (await here.get(PATH, headers=headers)).status_code == 200
    async with client_of(fresh_store, clock) as there:
        assert (await there.get(PATH, headers=headers)).status_code == 401


async def test_a_client_has_its_own_options(store: Store, clock: FrozenClock) -> None:
    for missing, status in (((), 200), (("push",), 503), ((), 200)):
        async with client_of(store, clock, missing_providers=missing) as client:
            assert (await client.get("/health/ready")).status_code == status
    async with client_of(store, clock, demo=True) as client:
        assert (await client.get("/demo/inbox")).status_code == 200
    async with client_of(store, clock) as client:
        assert (await client.get("/demo/inbox")).status_code == 404
    async with client_of(store, clock, allowed_hosts={"book.example"}) as client:
        assert (await client.get("/health/live")).status_code == 400
    async with client_of(store, clock) as client:
        assert (await client.get("/health/live")).status_code == 200
