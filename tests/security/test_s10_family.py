"""Links between relatives never cross a merge of either side (security.md S10)."""

import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import make_child, make_proxy, may
from tests.support.people import make_citizen, make_person
from tests.support.registry import make_officers, merged, separated


@pytest.mark.parametrize("side", ["merged", "survivor"])
@pytest.mark.parametrize("relation", ["guardian", "proxy"])
async def test_s10_a_link_opens_nothing_from_the_merge_of_the_person_on_and_is_back_after_it(
    store: Store, clock: FrozenClock, side: str, relation: str
) -> None:
    officers = await make_officers(store, clock)
    relative = await make_citizen(store, clock)
    stranger, _ = await make_person(store, clock)
    if relation == "guardian":
        person = await make_child(store, clock, relative)
    else:
        principal = await make_citizen(store, clock)
        person = principal.patient_id
        await make_proxy(store, clock, principal, relative, "read-record")
    clock.advance(minutes=1)
    pair = (person, stranger) if side == "merged" else (stranger, person)
    merge_id = await merged(store, officers, *pair, clock.now())
    for one in (person, stranger):
        assert await may(store, clock, relative, one) == "not-your-book"
    clock.advance(minutes=1)
    await separated(store, officers, merge_id, clock.now())
    assert not isinstance(await may(store, clock, relative, person), str)


async def test_s10_a_link_of_who_acts_is_held_by_the_own_merge_too(store: Store, clock: FrozenClock) -> None:
    officers = await make_officers(store, clock)
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    stranger, _ = await make_person(store, clock)
    clock.advance(minutes=1)
    await merged(store, officers, stranger, mother.patient_id, clock.now())
    assert await may(store, clock, mother, child) == "account-held"
