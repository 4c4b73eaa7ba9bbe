"""The key that names and rounds stands outside the database, and there is only ever one."""

import shutil
from pathlib import Path

import pytest

from ehr.statistics.publishing import secret_of
from healthbook.statistics_jobs import step
from store.database import Store
from store.keys import KeyRing, KeyRingError, add_key
from tests.support.clock import FrozenClock
from tests.support.record import write
from tests.support.statistics import count_all, make_resident, seen_with


async def everything(store: Store) -> bytes:
    """Every value of the tables of statistics, as a copy of the database holds them."""
    async with store.transaction() as tx:
        tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE tablename LIKE 'statistic%'")
        rows = [await tx.fetch(f"SELECT t::text FROM {name['tablename']} t") for name in tables]
    return "\n".join(row["t"] for found in rows for row in found).encode()


async def test_s15_a_copy_of_the_database_has_no_secret_of_the_statistics(
    fresh_store: Store, clock: FrozenClock
) -> None:
    person = await make_resident(fresh_store, clock.now(), "00004")
    await write(fresh_store, person, [seen_with("A90", "2026-11-02")], clock.now())
    assert await count_all(fresh_store, clock.now()) > 1
    async with fresh_store.transaction() as tx:
        counted = await tx.fetchval("SELECT count(*) FROM statistic_person")
    assert counted == 1
    assert secret_of(fresh_store.keys).hex().encode() not in await everything(fresh_store)


async def test_s30_a_second_rounding_key_is_refused_and_a_strange_one_stops_the_count(
    fresh_store: Store, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeyRing.create(tmp_path, demo=False)
    with pytest.raises(KeyRingError, match="never changed"):
        add_key(tmp_path, "statistics")
    shutil.copy(tmp_path / "statistics.0001.key", tmp_path / "statistics.0002.key")
    (tmp_path / "statistics.0002.key").write_text("ab" * 32)
    ring = KeyRing.load(tmp_path)
    assert secret_of(ring).hex() == (tmp_path / "statistics.0001.key").read_text().strip()
    await count_all(fresh_store, clock.now())
    clock.advance(seconds=86_400)
    monkeypatch.setattr(fresh_store, "keys", ring)
    with pytest.raises(KeyRingError, match="not the one"):
        await step(fresh_store, clock.now())


def test_a_start_without_the_key_names_it_and_how_to_make_it(tmp_path: Path) -> None:
    KeyRing.create(tmp_path, demo=False)
    (tmp_path / "statistics.0001.key").unlink()
    with pytest.raises(KeyRingError, match=r"no key for statistics .*admin first-key"):
        KeyRing.load(tmp_path)
