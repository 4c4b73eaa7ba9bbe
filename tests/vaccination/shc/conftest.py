"""A facility that may vaccinate."""

from datetime import date

import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_facility
from tests.vaccination.shc.places import Place
from vaccination.certificates.queries import INSERT_PERIOD


@pytest.fixture
async def place(store: Store, clock: FrozenClock) -> Place:
    facility = await make_facility(store, clock)
    async with store.transaction() as tx:
        assert await INSERT_PERIOD.one(tx, facility.facility_id, date(2020, 1, 1), None, clock.now())
    return Place(store, clock, facility)
