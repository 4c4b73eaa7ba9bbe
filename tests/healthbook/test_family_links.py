"""The worker asks the family's own tables whether a link stands when a notice leaves."""

from family.service import end_link
from healthbook.family_links import StandingLinks
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE
from tests.support.family import access_of, make_proxy
from tests.support.people import make_citizen


async def test_s23_a_link_that_was_ended_stands_no_more_when_the_notice_leaves(
    store: Store, clock: FrozenClock
) -> None:
    person, proxy, stranger = [await make_citizen(store, clock) for _ in range(3)]
    await make_proxy(store, clock, person, proxy, "reminders")
    links = StandingLinks(store, clock)
    pair = (proxy.patient_id, person.patient_id)
    asked = {pair, (stranger.patient_id, person.patient_id), (person.patient_id, proxy.patient_id)}
    assert await links.standing(asked) == {pair}
    access = await access_of(store, person, "manage-family", clock.now())
    async with store.transaction() as tx:
        assert await end_link(tx, access, proxy.patient_id, trace_id=TRACE, now=clock.now()) is None
    assert await links.standing(asked) == frozenset()
