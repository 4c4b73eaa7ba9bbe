"""A visit at a counter that says what it was for stands on no list, whatever unit is beside it (S30)."""

from uuid import UUID, uuid4

import pytest

from identity.units.models import NewUnit
from identity.units.service import add_unit
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_facility
from visits.counters import queries
from visits.exposure.models import Entry
from visits.exposure.places import barred_units, is_barred


@pytest.mark.parametrize(
    ("code", "name", "sensitive", "barred"),
    [
        ("A-1", "Quầy tiếp đón", False, False),
        ("A-1", "Quầy tiếp đón", True, True),
        ("PREP-1", "Quầy 1", False, True),
        ("HIV2", "Quầy 2", False, True),
        ("A-1", "Quầy PrEP / HIV", False, True),
    ],
)
async def test_s30_a_telling_counter_keeps_a_visit_off_every_list(
    store: Store, clock: FrozenClock, code: str, name: str, sensitive: bool, barred: bool
) -> None:
    """Counters were opened before a word came to the list as well."""
    facility_id, counter_id = (await make_facility(store, clock)).facility_id, uuid7(clock.now())
    new = NewUnit(facility_id=facility_id, kind="department", name="Khoa Khám", is_sensitive=sensitive)
    async with store.transaction() as tx:
        unit_id = await add_unit(tx, new, clock.now())
        made = facility_id, counter_id, code, name, unit_id, clock.now()
        assert await queries.INSERT_COUNTER.one(tx, *made) is not None
        seen = [entry(clock, counter_id), entry(clock, uuid4())]
        kept = await barred_units(tx, facility_id, seen)
    assert is_barred(seen[0], kept) is barred
    assert is_barred(seen[1], kept), "a counter that the facility does not have"


def entry(clock: FrozenClock, counter_id: UUID) -> Entry:
    """A visit that says no unit, at this counter."""
    return Entry(uuid4(), uuid4(), None, counter_id, "citizen-qr", clock.now())
