"""An arrival is taken back by the number that was typed for it, or by the person's own (S7, S19)."""

from uuid import UUID, uuid4

import pytest

from store.database import Store
from tests.consent.test_presence import Recorder
from tests.support.clock import FrozenClock
from tests.support.counters import TRACE, make_counter
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, new_number
from visits.arrivals import arrive, is_open_today, withdraw_arrival
from visits.counters.models import Counter
from visits.identification import draw_code
from visits.models import CheckIn, Typed
from visits.presence import check_in_by_scan, presence_of
from visits.tickets import service as tickets


class Desk:
    """A clerk at one counter, and somebody who is in the book."""

    def __init__(
        self, store: Store, clock: FrozenClock, clerk: Doctor, counter: Counter, who: Citizen
    ) -> None:
        self.store, self.clock, self.clerk, self.counter, self.citizen = store, clock, clerk, counter, who

    async def typed(self, number: str) -> Typed:
        here = {"counter_id": self.counter.counter_id}
        async with self.store.transaction() as tx:
            made = await arrive(
                tx, self.store.keys, self.clerk.actor, number, request_id=TRACE, now=self.clock.now(), **here
            )
        assert isinstance(made, Typed)
        return made

    async def take_back(self, arrival_id: UUID, number: str) -> list[str]:
        """The statements that it cost."""
        recorder = Recorder(self.store)
        async with recorder.transaction() as tx:
            done = await withdraw_arrival(
                tx,
                self.store.keys,
                self.clerk.actor,
                arrival_id,
                number,
                request_id=TRACE,
                now=self.clock.now(),
            )
        assert done is None
        return recorder.statements

    async def waiting(self) -> list[int]:
        async with self.store.transaction() as tx:
            return [one.number for one in await tickets.waiting(tx, self.counter, 0, 50, self.clock.now())]

    async def is_open(self, arrival_id: UUID) -> bool:
        async with self.store.transaction() as tx:
            return await is_open_today(tx, self.counter.facility_id, arrival_id, self.clock.now())


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> Desk:
    facility = await make_facility(store, clock)
    clerk = await make_doctor(store, clock, facility, "clerk")
    counter = await make_counter(store, clock, facility)
    return Desk(store, clock, clerk, counter, await make_citizen(store, clock))


@pytest.mark.parametrize("is_known", [False, True])
async def test_s19_another_number_takes_nothing_back_whoever_has_it(
    desk: Desk, owner: Store, is_known: bool
) -> None:
    """Else a number typed at will and taken back by another would tell whether anybody has that one."""
    other = await make_citizen(desk.store, desk.clock)
    typed = await desk.typed(desk.citizen.number if is_known else new_number())
    await desk.take_back(uuid4(), new_number())
    cost = [await desk.take_back(typed.arrival_id, number) for number in (other.number, new_number())]
    assert cost[0] == cost[1]
    assert await desk.waiting() == [1]
    assert await desk.is_open(typed.arrival_id)
    async with owner.transaction() as tx:
        taken = await tx.fetchval(
            "SELECT withdrawn_at FROM typed_arrival WHERE arrival_id = $1", typed.arrival_id
        )
        logged = await tx.fetchval(
            "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%visit:arrival:withdraw%'",
            other.patient_id,
        )
    assert (taken, logged) == (None, 0)


async def test_s19_the_typed_number_takes_it_back_at_the_same_cost_whoever_has_it(desk: Desk) -> None:
    await desk.take_back(uuid4(), new_number())
    cost = []
    for number in (desk.citizen.number, new_number()):
        typed = await desk.typed(number)
        cost.append([await desk.take_back(typed.arrival_id, number) for _ in range(2)])
        assert await desk.waiting() == []
        assert not await desk.is_open(typed.arrival_id)
    assert cost[0] == cost[1]


async def test_a_scanned_arrival_is_taken_back_by_the_person_s_own_number_alone(desk: Desk) -> None:
    store, clock, who = desk.store, desk.clock, desk.citizen.patient_id
    async with store.transaction() as tx:
        done = await check_in_by_scan(
            tx,
            store.keys,
            desk.clerk.actor,
            draw_code(store.keys, who, clock.now()).qr,
            counter_id=desk.counter.counter_id,
            request_id=TRACE,
            now=clock.now(),
        )
    assert isinstance(done, CheckIn)
    other = await make_citizen(store, clock)
    await desk.take_back(uuid4(), new_number())
    cost = [await desk.take_back(done.check_in_id, number) for number in (other.number, new_number())]
    assert cost[0] == cost[1]
    assert await desk.waiting() == [1]
    assert await desk.is_open(done.check_in_id)
    await desk.take_back(done.check_in_id, desk.citizen.number)
    assert await desk.waiting() == []
    assert not await desk.is_open(done.check_in_id)
    async with store.transaction() as tx:
        assert await presence_of(tx, who, desk.counter.facility_id, clock.now()) is None
