"""What the person's own devices measured is a category of a grant of its own: named, or not given."""

import json
from datetime import date

import pytest

from consent.emergency.policy import opened_types
from consent.emergency_card.models import PART_TYPES
from consent.grants import service as grants
from consent.grants.narrowing import narrow_grant
from consent.grants.policy import Narrower
from consent.grants.queries import Proof
from consent.models import Grant
from consent.role_caps import VERSION, VERSIONS
from kernel.access import Access, Label, RecordType, Role
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE, ask, code_of, granted, own, read
from tests.support.family import make_child, make_proxy, may
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

WEARABLE: RecordType = "Observation.wearable"
SIGNS: RecordType = "Observation.vital-signs"
BOTH = frozenset({SIGNS, WEARABLE})


async def test_wearables_are_granted_only_where_they_were_named(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    """Neither a request without types nor a facility's vital signs open them."""
    assert WEARABLE not in (await granted(store, clock, doctor, citizen)).types
    assert (await granted(store, clock, doctor, citizen, types=frozenset({SIGNS}))).types == [SIGNS]
    assert set((await granted(store, clock, doctor, citizen, types=BOTH)).types) == BOTH
    access = await read(store, clock, doctor, citizen.patient_id, "read-section")
    assert isinstance(access, Access)
    assert access.types == BOTH


async def test_wearables_are_narrowed_away_and_the_papers_say_so(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    grant = await granted(store, clock, doctor, citizen, types=BOTH)
    assert [one["code"] for one in await classes(store, clock, grant)] == ["Observation", WEARABLE]
    async with store.transaction() as tx:
        access = await own(tx, citizen, "manage-grants", clock.now())
        less = Narrower(types=frozenset({SIGNS}))
        narrowed = await narrow_grant(
            tx, store.keys, access, grant.grant_id, less, trace_id=TRACE, now=clock.now()
        )
    assert isinstance(narrowed, Grant), narrowed
    assert [one["code"] for one in await classes(store, clock, narrowed)] == ["Observation"]
    left = await read(store, clock, doctor, citizen.patient_id, "read-section")
    assert isinstance(left, Access)
    assert left.types == frozenset({SIGNS})


async def classes(store: Store, clock: FrozenClock, grant: Grant) -> list[dict[str, str]]:
    """The classes of information of a grant's FHIR Consent."""
    async with store.transaction() as tx:
        proof = await grants.proof_of_grant(tx, grant.patient_id, grant.grant_id, clock.now())
    assert isinstance(proof, Proof)
    found: list[dict[str, str]] = json.loads(proof.fhir_consent)["provision"]["class"]
    return found


@pytest.mark.parametrize("role", [role for role in VERSIONS[VERSION] if role != "doctor"])
async def test_no_other_role_than_a_doctor_s_may_ask_for_wearables(
    store: Store, clock: FrozenClock, citizen: Citizen, role: Role
) -> None:
    asking = await make_doctor(store, clock, await make_facility(store, clock), role)
    refused = await ask(store, clock, asking, citizen, types=frozenset({WEARABLE}))
    assert code_of(refused) == "role-may-not-ask"


def test_s24_neither_broken_glass_nor_a_card_opens_wearables() -> None:
    assert WEARABLE not in opened_types([])
    assert all(WEARABLE not in types for types in PART_TYPES.values())


async def test_s23_of_relatives_a_child_s_guardian_and_a_proxy_for_vitals_read_wearables(
    store: Store, clock: FrozenClock
) -> None:
    mother, proxy, father = [await make_citizen(store, clock) for _ in range(3)]
    await make_proxy(store, clock, father, proxy, "vitals")
    opened = await may(store, clock, proxy, father.patient_id, "read-trend")
    assert isinstance(opened, Access)
    assert opened.types == BOTH
    small = await make_child(store, clock, mother)
    assert isinstance(whole := await may(store, clock, mother, small, "read-trend"), Access)
    assert whole.types is None
    assert Label.SDV in whole.withheld_labels
    youth = await make_child(store, clock, mother, str(date(clock.now().year - 16, 1, 1)))
    assert await may(store, clock, mother, youth, "read-trend") == "not-in-your-care"
