"""Views are made anew from the raw text, and the coverage of names is counted."""

from ehr.coverage import display_coverage
from ehr.rebuild import rebuild_views, stale_people
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.record import bundle, write


async def test_rebuilt_views_equal_the_views_of_the_import(fresh_store: Store, clock: FrozenClock) -> None:
    person = (await make_citizen(fresh_store, clock)).patient_id
    await write(fresh_store, person, bundle("ips-bundle-ips-all-sections"), clock.now())
    everything = "SELECT * FROM ehr_resource ORDER BY seq"
    async with fresh_store.transaction() as tx:
        before = await tx.fetch(everything)
        assert await stale_people(tx, 10) == []
        await tx.execute(
            "UPDATE ehr_resource SET item_version = 0, title_folded = 'old', section = NULL, flag = 9"
        )
        await tx.execute("UPDATE ehr_head SET item_version = 0")
    async with fresh_store.transaction() as tx:
        assert await stale_people(tx, 10) == [person]
        assert await rebuild_views(tx, person) == len(before)
        assert await stale_people(tx, 10) == []
        assert await rebuild_views(tx, person) == 0
        assert await tx.fetch(everything) == before


async def test_coverage_counts_codes_with_and_without_a_name(fresh_store: Store, clock: FrozenClock) -> None:
    person = (await make_citizen(fresh_store, clock)).patient_id
    await write(fresh_store, person, bundle("synthea-sof-felipa-ddecf886f34f"), clock.now())
    async with fresh_store.transaction() as tx:
        coverage = await display_coverage(tx)
    loinc = next(s for s in coverage.systems if s.system == "http://loinc.org")
    assert 0 < loinc.codes_named <= loinc.codes
    assert loinc.uses_named / loinc.uses > 0.8
    assert all(use.code for use in coverage.missing)
