"""Departments and emergency units: what a unit is to others (security.md S23)."""

import pytest
from msgspec import convert

from identity.units import service as units
from identity.units.models import ClosedUnit, Department, NewUnit, UnitNature
from identity.units.specialties import by_code, is_sensitive, is_sensitive_name, table
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_facility


@pytest.mark.parametrize(
    "name",
    [
        "Phòng khám OPC",
        "Điều trị H.I.V",
        "P r E P",
        "Khoa Tâm thần",
        "Phòng PHÁ THAI",
        "Tư vấn (VCT)",
        "Cơ sở methadone",
    ],
)
def test_a_name_that_tells_makes_a_unit_sensitive(name: str) -> None:
    assert is_sensitive_name(name)


@pytest.mark.parametrize(
    "name", ["Khoa Nhi tổng hợp", "Khoa Nghiên cứu", "Khoa Thần kinh", "Khoa Sản", "Lao và bệnh phổi"]
)
def test_others_are_not(name: str) -> None:
    assert not is_sensitive_name(name)


def test_specialties_are_told_apart_by_code_and_place() -> None:
    listed = table().specialties
    assert len({one.code for one in listed}) == len(listed) == len({one.place for one in listed})
    assert is_sensitive("Phòng 12", "psychiatry")
    assert not is_sensitive("Phòng 12", "cardiology")
    assert by_code()["paediatrics"].name == "Nhi khoa"


async def test_a_sensitive_unit_is_shown_by_its_discreet_name(store: Store, clock: FrozenClock) -> None:
    facility = (await make_facility(store, clock)).facility_id
    other = (await make_facility(store, clock)).facility_id
    async with store.transaction() as tx:
        named = NewUnit(
            facility_id=facility, kind="department", name="Khoa Tâm thần", discreet_name="Phòng khám số 7"
        )
        first = await units.add_unit(tx, named, clock.now())
        marked = NewUnit(facility_id=facility, kind="department", name="Phòng 9", is_sensitive=True)
        second = await units.add_unit(tx, marked, clock.now())
        plain = NewUnit(facility_id=facility, kind="department", name="Khoa Nhi", specialty="paediatrics")
        third = await units.add_unit(tx, plain, clock.now())
        await units.close_unit(tx, ClosedUnit(unit_id=first, facility_id=facility), clock.now())

        closed = UnitNature(first, "Khoa Tâm thần", "Phòng khám số 7", True, None)
        assert await units.nature_of(tx, facility, first) == closed
        assert await units.nature_of(tx, facility, second) == UnitNature(
            second, "Phòng 9", "Phòng khám", True, None
        )
        assert await units.nature_of(tx, facility, third) == UnitNature(
            third, "Khoa Nhi", "Khoa Nhi", False, "paediatrics"
        )
        assert await units.nature_of(tx, other, third) is None
        assert await units.nature_of(tx, facility, uuid7(clock.now())) is None
        assert set(await units.natures_of(tx, facility, [first, third, uuid7(clock.now())])) == {first, third}


def test_bodies_of_older_changes_still_decode() -> None:
    """A proposal that waits while the program is renewed."""
    old = {"facility_id": "018f0000-0000-7000-8000-000000000000", "kind": "emergency", "name": "Cấp cứu"}
    assert convert(old, NewUnit).is_sensitive is False


TELLING = ["HIV - Tâm thần", "Phòng P.r.E.P", "Sức khỏe tình dục"]


@pytest.mark.parametrize("discreet", TELLING)
async def test_s23_a_discreet_name_that_tells_is_refused(
    store: Store, clock: FrozenClock, discreet: str
) -> None:
    facility = (await make_facility(store, clock)).facility_id
    async with store.transaction() as tx:
        telling = Department(name="Khoa Tâm thần", discreet_name=discreet)
        refused = await units.open_department(tx, facility, telling, clock.now())
        assert isinstance(refused, Refused)
        assert (refused.problem.code, refused.where) == ("discreet-name-tells", "discreet_name")
        good = Department(name="Khoa Tâm thần", discreet_name="Phòng khám số 7")
        made = await units.open_department(tx, facility, good, clock.now())
        assert not isinstance(made, Refused)
        changed = await units.change_department(tx, facility, made.unit_id, telling)
        assert isinstance(changed, Refused)
        assert changed.problem.code == "discreet-name-tells"


async def test_s23_a_discreet_name_that_tells_since_the_list_grew_is_not_said(
    store: Store, clock: FrozenClock
) -> None:
    facility = (await make_facility(store, clock)).facility_id
    async with store.transaction() as tx:
        new = NewUnit(facility_id=facility, kind="department", name="Khoa Tâm thần")
        unit = await units.add_unit(tx, new, clock.now())
        await tx.execute("UPDATE facility_unit SET discreet_name = 'Quầy HIV' WHERE unit_id = $1", unit)
        nature = await units.nature_of(tx, facility, unit)
    assert nature is not None
    assert nature.shown_name == units.NO_NAME
