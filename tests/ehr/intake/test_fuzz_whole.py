"""Mutated files through the import onto the database: a unit is written whole or not at all.

A few dozen files of each kind here, some hundreds with HEALTHBOOK_COUNTS=full.
"""

import io
from collections import Counter

import pytest
from hypothesis import strategies as st

from ehr.intake.files import Importer
from ehr.intake.models import UnitReport
from ehr.intake.reading import ReadUnit, read_units
from store.database import Store
from tests.ehr.intake.test_fuzz_packages import changed_packages, cut_packages
from tests.ehr.intake.test_fuzz_xml import changed_files, cut_files
from tests.ehr.intake.test_noise import changed_bundles, damaged_samples
from tests.support import packages
from tests.support.clock import FrozenClock
from tests.support.fuzz import FULL, gathered
from tests.support.people import make_facility

COUNT = 150 if FULL else 12
KINDS: dict[str, st.SearchStrategy[bytes]] = {
    "fields of packages": changed_packages(),
    "bytes of packages": cut_packages(),
    "elements of documents and forms": changed_files(),
    "bytes of documents and forms": cut_files(),
    "values of bundles": changed_bundles(),
    "bytes of samples": damaged_samples(),
}
# Of these some are taken in; a cut file mostly is no XML and no JSON any more.
WELL_FORMED = ("fields of packages", "elements of documents and forms", "values of bundles")
# What an import counts and what it was asked for; all else holds something of a unit.
COUNTS = ("ehr_intake_count", "ehr_gate_count")
TABLES = """
    SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""


async def filled(owner: Store) -> dict[str, int]:
    """Rows of every table that holds any."""
    async with owner.transaction() as tx:
        names = sorted(row["relname"] for row in await tx.fetch(TABLES))
        found = await tx.fetch(
            " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS rows FROM {name}" for name in names)
        )
    return {row["name"]: row["rows"] for row in found if row["rows"]}


async def empty(owner: Store, tables: set[str]) -> None:
    if tables:
        async with owner.transaction() as tx:
            await tx.execute(f"TRUNCATE {', '.join(sorted(tables))} CASCADE")


def keys_of(data: bytes, clock: FrozenClock) -> dict[str, str]:
    """The key of every unit that can be read, by its name: a note that comes twice is one unit."""
    read = read_units(io.BytesIO(data), "body", clock.now())
    return {one.unit.name: one.unit.key for one in read if isinstance(one, ReadUnit)}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_mutated_file_leaves_whole_units_or_nothing(
    store: Store, owner: Store, clock: FrozenClock, kind: str
) -> None:
    await make_facility(store, clock, packages.FACILITY)
    standing = await filled(owner)
    seen: Counter[str] = Counter()
    for data in gathered(KINDS[kind], COUNT):
        reports = await Importer(store, clock, None, "operator").stream(io.BytesIO(data), "body")
        after = await filled(owner)
        async with owner.transaction() as tx:
            live = await tx.fetchval("SELECT count(*) FROM ehr_resource WHERE NOT deleted")
        await empty(owner, set(after) - set(standing))
        assert set(await filled(owner)) == set(standing)
        check(reports, keys_of(data, clock), live, {name for name in after if name not in standing})
        seen.update(report.status for report in reports)
    assert seen["rejected"], seen
    assert seen["imported"] or not FULL or kind not in WELL_FORMED, seen


def check(reports: list[UnitReport], keys: dict[str, str], live: int, written: set[str]) -> None:
    """Exactly the rows that the report names; of a file of which everything was rejected nothing."""
    assert reports
    assert all(report.reasons for report in reports if report.status != "imported")
    # The last one of a key is what stands.
    told = {keys[one.unit]: sum(one.resources.values()) for one in reports if one.status == "imported"}
    assert live == sum(told.values()), reports
    if all(report.status == "rejected" for report in reports):
        assert written <= set(COUNTS), (reports, written)
