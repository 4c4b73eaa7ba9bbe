from kernel.ids import bucket_of, uuid7
from store.database import Store
from store.outbox import claim_events, emit
from tests.support.clock import FrozenClock


async def test_an_emitted_event_is_claimed_once(store: Store, clock: FrozenClock) -> None:
    person = uuid7(clock.now())
    async with store.transaction() as tx:
        await emit(tx, person, "consent.requested", {"request_id": str(person)}, clock.now())
    async with store.transaction() as tx:
        events = await claim_events(tx, bucket_of(person), clock.now())
    assert [e.event for e in events if e.patient_id == person] == ["consent.requested"]
    async with store.transaction() as tx:
        assert await claim_events(tx, bucket_of(person), clock.now()) == []
