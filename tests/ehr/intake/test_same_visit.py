"""A visit that one sender sends as a package and in the form of QĐ 831 stands once."""

import json
from typing import Any

import pytest

from identity.models import Facility
from store.database import Store
from tests.ehr.intake.records import rows, send
from tests.ehr.intake.test_apart import CODE, hoso, tables
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.phr831 import sample


async def send_form(
    store: Store, clock: FrozenClock, facility: Facility, citizen: Citizen, code: str
) -> None:
    data = sample({"SENDER_CODE": code, "MA_LK": "SYN.0001"}, citizen).encode()
    assert {one.status for one in await send(store, clock, facility, data)} == {"imported"}


async def visits(store: Store, citizen: Citizen) -> list[dict[str, Any]]:
    return [
        json.loads(r[7]) for r in await rows(store, citizen.patient_id) if r[0] == "Encounter" and not r[6]
    ]


async def content(store: Store, citizen: Citizen) -> list[tuple[Any, ...]]:
    return [(r[0], r[1], r[7]) for r in await rows(store, citizen.patient_id) if not r[6]]


@pytest.mark.parametrize("names", [("XML1",), ("XML1", "XML4")])
async def test_package_and_form_of_one_visit_are_one_visit_whichever_comes_first(
    fresh_store: Store, clock: FrozenClock, names: tuple[str, ...]
) -> None:
    hospital = await make_facility(fresh_store, clock, code=CODE)
    one, two = await make_citizen(fresh_store, clock), await make_citizen(fresh_store, clock)
    package = {who.patient_id: hoso(tables(who, *names, MA_LK="SYN.0001")) for who in (one, two)}
    await send_form(fresh_store, clock, hospital, one, CODE)
    await send(fresh_store, clock, hospital, package[one.patient_id])
    (visit,) = await visits(fresh_store, one)
    assert visit["class"]["code"] == "IMP"
    docs = [json.loads(doc) for _, _, doc in await content(fresh_store, one)]
    pulse = [d for d in docs if d["resourceType"] == "Observation" and d["code"]["text"] == "Mạch"]
    assert [d["encounter"]["reference"] for d in pulse] == [f"Encounter/{visit['id']}"]
    # What was in the book stays as it is when either is sent again.
    before = await content(fresh_store, one)
    await send_form(fresh_store, clock, hospital, one, CODE)
    await send(fresh_store, clock, hospital, package[one.patient_id])
    assert await content(fresh_store, one) == before


async def test_the_form_after_the_package_adds_and_repeats_nothing(
    fresh_store: Store, clock: FrozenClock
) -> None:
    hospital = await make_facility(fresh_store, clock, code=CODE)
    citizen = await make_citizen(fresh_store, clock)
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1", "XML4", MA_LK="SYN.0001")))
    alone = await content(fresh_store, citizen)
    await send_form(fresh_store, clock, hospital, citizen, CODE)
    both = await content(fresh_store, citizen)
    assert set(alone) < set(both)
    assert len(await visits(fresh_store, citizen)) == 1
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1", "XML4", MA_LK="SYN.0001")))
    assert await content(fresh_store, citizen) == both


async def test_s3_the_form_of_another_facility_with_the_same_number_is_a_visit_of_its_own(
    fresh_store: Store, clock: FrozenClock
) -> None:
    hospital = await make_facility(fresh_store, clock, code=CODE)
    clinic = await make_facility(fresh_store, clock, code="01028")
    citizen = await make_citizen(fresh_store, clock)
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1", MA_LK="SYN.0001")))
    await send_form(fresh_store, clock, clinic, citizen, "01028")
    assert len(await visits(fresh_store, citizen)) == 2
