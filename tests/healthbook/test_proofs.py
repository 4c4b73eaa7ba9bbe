"""`healthbook audit verify --operators`: the chain in the database against its roots and copies of them."""

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from audit.roots.proofs import roots_after
from audit.service import record_admin_event
from healthbook.proofs import ProofError, check_operators
from healthbook.root_jobs import build_root
from store.database import Store
from tests.audit.test_operators import written_anew
from tests.support.clock import FrozenClock


async def acts(owner: Store, clock: FrozenClock, count: int) -> None:
    async with owner.transaction() as tx:
        for number in range(count):
            await record_admin_event(tx, "op-1", "admin:facility:create", "opening", number, clock.now())
    clock.advance(minutes=5)
    assert await build_root(owner, clock, clock.now() + timedelta(minutes=1))


async def roots_file(owner: Store, path: Path) -> Path:
    async with owner.transaction() as tx:
        text = msgspec.json.encode(await roots_after(tx, owner.keys, 0))
    await asyncio.to_thread(path.write_bytes, text)
    return path


async def test_s26_an_edit_of_the_operators_chain_is_found_against_the_roots(
    fresh_owner: Store, clock: FrozenClock
) -> None:
    await acts(fresh_owner, clock, 5)
    await acts(fresh_owner, clock, 5)
    assert "Whole: 10 rows" in await check_operators(fresh_owner)
    async with fresh_owner.transaction() as tx:
        await tx.execute(written_anew(10))
    with pytest.raises(ProofError, match="operators' log does not pass through row 5") as raised:
        await check_operators(fresh_owner)
    assert raised.value.status == 1


async def test_s26_roots_kept_elsewhere_tell_what_the_databases_own_no_longer_do(
    fresh_owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    """Whoever rewrites the chain forgets the roots too; a copy of them is out of reach."""
    await acts(fresh_owner, clock, 5)
    kept = await roots_file(fresh_owner, tmp_path / "roots.json")
    async with fresh_owner.transaction() as tx:
        await tx.execute(written_anew(5))
        await tx.execute("TRUNCATE audit_root")
    assert "Whole: 5 rows" in await check_operators(fresh_owner)
    with pytest.raises(ProofError, match="row 5"):
        await check_operators(fresh_owner, [kept])


async def test_s25_roots_that_contradict_a_copy_are_a_fork(
    fresh_owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    await acts(fresh_owner, clock, 5)
    kept = await roots_file(fresh_owner, tmp_path / "roots.json")
    async with fresh_owner.transaction() as tx:
        await tx.execute("TRUNCATE audit_root")
    await acts(fresh_owner, clock, 1)
    with pytest.raises(ProofError, match="two different public roots"):
        await check_operators(fresh_owner, [kept])
