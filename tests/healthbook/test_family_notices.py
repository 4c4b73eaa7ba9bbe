"""Guardians hear of what concerns the child's book, and of nothing from fifteen on (consent.md §7)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from family.service import dispute_link
from kernel.ids import uuid7
from store.database import Store
from store.outbox import emit
from tests.consent.test_s24_record import drain
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE
from tests.support.family import access_of, make_child, midnight
from tests.support.people import Citizen, make_citizen

EVENTS = ("consent.granted", "consent.used", "consent.revoked", "consent.link-opened")


async def happened(store: Store, child: UUID, clock: FrozenClock, *events: str) -> None:
    now = clock.now()
    async with store.transaction() as tx:
        for event in events:
            ref = {"link_id" if "link" in event else "grant_id": str(uuid7(now))}
            if event == "consent.used":
                ref |= {"practitioner_id": str(UUID(int=7)), "day": now.date().isoformat()}
            await emit(tx, child, event, ref, now)
    await drain(store, child, now)


async def heard(owner: Store, guardian: Citizen) -> list[dict[str, Any]]:
    sql = "SELECT ref FROM notification WHERE patient_id = $1 AND type = 'dependent-news' ORDER BY 1"
    async with owner.transaction() as tx:
        return [msgspec.json.decode(row["ref"]) for row in await tx.fetch(sql, guardian.patient_id)]


async def test_each_guardian_hears_who_was_let_in_who_read_what_ended_and_which_link_was_opened(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, stranger = await make_citizen(store, clock), await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2018-01-01")
    await happened(store, child, clock, *EVENTS)
    told = await heard(owner, mother)
    assert sorted(one["what"] for one in told) == sorted(EVENTS)
    assert {one["patient_id"] for one in told} == {str(child)}
    assert {name for one in told for name in one} == {"patient_id", "what", "grant_id", "link_id"}
    # A second grant read by the same practitioner on that day is no news.
    await happened(store, child, clock, "consent.used")
    assert len(await heard(owner, mother)) == len(EVENTS)
    assert await heard(owner, stranger) == []


async def test_two_children_read_by_one_doctor_are_two_pieces_of_news(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    for birth_date in ("2018-01-01", "2021-01-01"):
        child = await make_child(store, clock, mother, birth_date)
        await happened(store, child, clock, "consent.used")
    assert len(await heard(owner, mother)) == 2


@pytest.mark.parametrize(("offset", "told"), [(timedelta(seconds=-1), 4), (timedelta(0), 0)])
async def test_s23_from_fifteen_on_nobody_but_the_young_person_hears(
    store: Store, owner: Store, clock: FrozenClock, offset: timedelta, told: int
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2011-12-01")
    clock.set(midnight(date(2026, 12, 1)) + offset)
    await happened(store, child, clock, *EVENTS)
    assert len(await heard(owner, mother)) == told


async def test_s23_whoever_s_link_is_disputed_hears_nothing(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2018-01-01")
    access = await access_of(store, mother, "manage-family", clock.now())
    async with store.transaction() as tx:
        assert await dispute_link(tx, access, child, trace_id=TRACE, now=clock.now()) is None
    await happened(store, child, clock, *EVENTS)
    assert await heard(owner, mother) == []
