"""Cases under many hands at once: one case per thing, one step per act, and nobody waits for ever."""

import asyncio
from datetime import timedelta

from ehr.cases.answering import answer
from ehr.cases.models import CaseRow
from ehr.cases.moves import Hand
from store.database import Store
from tests.ehr.cases.test_not_mine import MARK, do, shown
from tests.support.cases import make_place, open_case, send, try_case
from tests.support.clock import FrozenClock

DAY = "2026-11-02"


async def test_five_openings_at_once_make_one_case(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    visit = place.id_of("v1")
    made = await asyncio.gather(
        *(try_case(store, place, "correction", clock.now(), item_id=visit) for _ in range(5))
    )
    assert sum(isinstance(one, CaseRow) for one in made) == 1


async def test_five_answers_at_once_are_one(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    case = await open_case(store, place, "correction", clock.now(), item_id=place.id_of("v1"))
    done = await asyncio.gather(*(do(store, place, case, "acknowledge", clock) for _ in range(5)))
    assert sum(isinstance(one, CaseRow) for one in done) == 1


async def test_s17_a_resend_beside_the_objection_never_stays_visible(
    store: Store, clock: FrozenClock
) -> None:
    """Whichever comes first: both lock the head, so the later one sees the earlier."""
    for number in range(6):
        place = await make_place(store, clock)
        await send(store, place, "v1", DAY, clock.now())
        later = clock.now() + timedelta(seconds=number)
        await asyncio.gather(
            send(store, place, "v1", DAY, later, mark=f"{MARK} again"),
            try_case(store, place, "not-mine", later, item_id=place.id_of("v1")),
            send(store, place, "v1", DAY, later, mark=f"{MARK} anew"),
        )
        assert await shown(store, place, clock) == [False] * 3


async def test_answers_and_resends_do_not_wait_for_each_other(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    for number in range(4):
        await send(store, place, f"v{number}", DAY, clock.now())
    cases = [
        await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of(f"v{number}"))
        for number in range(4)
    ]

    async def resolve(case: CaseRow) -> None:
        hand = Hand(actor=place.staff.actor, side="facility", request_id="t", now=clock.now())
        async with store.transaction() as tx:
            facility_id = place.facility.facility_id
            done = await answer(tx, store.keys, facility_id, case.case_id, "resolve", "x", hand)
            assert isinstance(done, CaseRow)

    await asyncio.wait_for(
        asyncio.gather(
            *(resolve(case) for case in cases),
            *(send(store, place, f"v{n}", DAY, clock.now(), mark=f"{MARK} {n}") for n in range(4)),
        ),
        timeout=60,
    )
    assert await shown(store, place, clock) == [False] * 3
