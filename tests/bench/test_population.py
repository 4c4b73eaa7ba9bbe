"""The measurement of a load runs, on a few lines; what it says of speed is the measurement's alone."""

from pathlib import Path

import pytest

from bench import population
from store.database import Store
from store.postgres import Server


async def test_a_load_is_measured_against_its_own_rows(
    server: Server, fresh_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "LINES", 300)
    monkeypatch.setattr(population, "ROUNDS", 2)
    async with fresh_store.transaction() as tx:
        database = await tx.fetchval("SELECT current_database()::text")
    results = await population.measure(fresh_store, server.dsn("hb_owner", database), tmp_path, [])
    assert [one.name for one in results] == list(population.NAMES)
    assert all(one.ours > 0 for one in results)
    async with fresh_store.transaction() as tx:
        left = await tx.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'bench%'")
        made = await tx.fetchval("SELECT count(*) FROM citizen")
    assert (left, made) == (0, 600)
