"""Counts for statistics: by sender, day, status and reason, and nothing of any person."""

from typing import Any
from uuid import UUID

from ehr.intake.counting import NO_FACILITY
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, allergy, bundle, send
from tests.support.bundles import sample_package
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility


async def counted(store: Store, facility_id: UUID) -> dict[tuple[str, str], Any]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT status, reason, sum(count)::int AS n FROM ehr_intake_count"
            " WHERE facility_id = $1 GROUP BY 1, 2",
            facility_id,
        )
    return {(row[0], row[1]): row[2] for row in rows}


async def test_units_and_documents_are_counted_by_sender(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock, code="01028")
    package = sample_package(OUTPATIENT).read_bytes()

    await send(store, clock, facility, package)
    await send(store, clock, facility, package)
    await send(store, clock, facility, b"<nothing")

    found = await counted(store, facility.facility_id)
    assert found["imported", ""] == found["document", "XML1"] == 2
    assert found["document", "XML2"] == 2
    assert found["rejected", "bad-xml"] == 1


async def test_quarantined_units_are_counted_by_reason_and_withheld_lines_without_one(
    store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    citizen = await make_citizen(store, clock)
    other = bundle(citizen, allergy("HIV")).replace(citizen.birth_date.encode(), b"1901-01-01")

    await send(store, clock, facility, other)

    found = await counted(store, facility.facility_id)
    assert found == {
        ("quarantined", "identity-conflict"): 1,
        ("withheld", ""): 1,
        ("channel", "api"): 1,
    }


async def test_an_operators_import_is_counted_under_the_nil_facility(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    await send(store, clock, None, bundle(citizen, allergy()))
    assert (await counted(store, NO_FACILITY))["imported", ""] >= 1
