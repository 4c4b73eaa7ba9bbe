"""Keys with one for the axis, its stand-in, and a worker that sends to it."""

from collections.abc import AsyncIterator

import pytest

from healthbook.axis_jobs import Exchange, axis_jobs
from healthbook.worker import Worker
from identity.models import Facility
from identity.register import queries as register
from kernel.clock import local_day
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from partners.axis import operating
from partners.axis.http import AxisAddress, HttpAxis
from partners.axis.outgoing import Terms
from store.database import Store
from store.keys import KeyRing, add_key
from tests.support.axis_stand_in import ID, RECEIVER, SECRET, AxisStandIn, axis_stand_in
from tests.support.clock import FrozenClock
from tests.support.people import make_facility


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """Over the one of every other test, which has no key for the axis."""
    directory = tmp_path_factory.mktemp("axis") / "keys"
    KeyRing.create(directory, demo=True)
    add_key(directory, "axis")
    return KeyRing.load(directory)


@pytest.fixture
async def stand_in(keys: KeyRing) -> AsyncIterator[AxisStandIn]:
    signer = keys.axis_signer()
    assert signer is not None
    async with axis_stand_in(signer.public_key()) as made:
        yield made


@pytest.fixture
async def axis(stand_in: AxisStandIn, clock: FrozenClock) -> AsyncIterator[HttpAxis]:
    address = AxisAddress(stand_in.address, f"{stand_in.address}/login", ID, SECRET)
    made = HttpAxis(address, clock)
    yield made
    await made.close()


@pytest.fixture
async def hurried(
    store: Store, delivery: Store, stand_in: AxisStandIn, clock: FrozenClock
) -> AsyncIterator["Site"]:
    """A worker that waits for no answer longer than half a second."""
    address = AxisAddress(stand_in.address, f"{stand_in.address}/login", ID, SECRET)
    made = HttpAxis(address, clock, seconds=0.5)
    yield Site(store, delivery, clock, made)
    await made.close()


class Site:
    """A worker over the stand-in, and facilities that it tells of."""

    def __init__(self, store: Store, delivery: Store, clock: FrozenClock, axis: HttpAxis) -> None:
        self.store, self.clock = store, clock
        self.exchange = Exchange(axis, Terms("1.0", RECEIVER, "T-1"))
        senders = Senders(RecordingPushSender(), RecordingSmsSender())
        self.worker = Worker(store, delivery, senders, clock, axis_jobs(store, clock, self.exchange))

    async def work(self, rounds: int = 4) -> None:
        """What is due now, with its jobs done."""
        for _ in range(rounds):
            await self.worker.run_once()
            await self.worker.outside_done()

    async def facility(self, code: str, *, allowed: bool = True) -> Facility:
        """A facility with a 13-digit code."""
        made = await make_facility(self.store, self.clock)
        now = self.clock.now()
        async with self.store.transaction() as tx:
            await register.INSERT_FACILITY_CODE.run(
                tx, made.facility_id, "qd1551-13", code, local_day(now), None
            )
            if allowed:
                await operating.allow(tx, made.facility_id, "QĐ thử 1/2026", now)
        return made

    async def messages(self, facility: Facility) -> list[tuple[str, str | None, int]]:
        """State, reason and tries of a facility's messages, the oldest first."""
        async with self.store.transaction() as tx:
            rows = await tx.fetch(
                "SELECT state, reason, attempts FROM axis_message WHERE facility_id = $1 ORDER BY message_id",
                facility.facility_id,
            )
        return [(row[0], row[1], row[2]) for row in rows]


@pytest.fixture
def site(store: Store, delivery: Store, clock: FrozenClock, axis: HttpAxis) -> Site:
    return Site(store, delivery, clock, axis)
