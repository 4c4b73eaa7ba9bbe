"""The operators' chain in the database: every change of it by its owner is found (security.md S26)."""

import pytest

from audit import operators
from audit.models import Head
from audit.operators import Checked, verify_operators
from audit.service import record_admin_event
from audit.verify import Broken
from store.database import Store
from tests.support.clock import FrozenClock

ROWS = 25


@pytest.fixture(scope="module", autouse=True)
def small_pages() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operators, "ROWS_AT_ONCE", 10)
        yield


@pytest.fixture
async def chain(store: Store, clock: FrozenClock) -> None:
    async with store.transaction() as tx:
        if (await verify_operators(tx)).head is None:
            for count in range(ROWS):
                await record_admin_event(tx, "op-1", "admin:facility:create", "opening", count, clock.now())


class ForgedError(Exception):
    """Takes a forgery back."""


async def forged(owner: Store, *statements: str) -> Checked:
    found: list[Checked] = []
    try:
        async with owner.transaction() as tx:
            for statement in statements:
                await tx.execute(statement)
            found.append(await verify_operators(tx))
            raise ForgedError
    except ForgedError:
        return found[0]


async def test_an_untouched_chain_holds_to_its_head(store: Store, chain: None) -> None:
    async with store.transaction() as tx:
        checked = await verify_operators(tx)
    assert checked.broken is None
    assert checked.head is not None
    assert checked.head.seq == ROWS


async def test_an_empty_chain_holds(fresh_store: Store) -> None:
    async with fresh_store.transaction() as tx:
        assert await verify_operators(tx) == Checked(head=None, broken=None)


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE admin_event SET entry = replace(entry, 'op-1', 'op-2') WHERE seq = 15",),
        ("DELETE FROM admin_event WHERE seq = 15",),
        (
            "UPDATE admin_event SET seq = 1000 WHERE seq = 15",
            "UPDATE admin_event SET seq = 15 WHERE seq = 16",
            "UPDATE admin_event SET seq = 16 WHERE seq = 1000",
        ),
        (
            "UPDATE admin_event SET seq = seq + 1000 WHERE seq >= 15",
            "INSERT INTO admin_event SELECT 15, at, entry, prev, h FROM admin_event WHERE seq = 14",
            "UPDATE admin_event SET seq = seq - 999 WHERE seq >= 1000",
        ),
    ],
    ids=["edit", "delete", "reorder", "insert"],
)
async def test_s26_a_forged_chain_is_found_at_the_first_wrong_row(
    owner: Store, chain: None, statements: tuple[str, ...]
) -> None:
    checked = await forged(owner, *statements)
    assert checked.broken is not None
    assert checked.broken.at == 15


@pytest.mark.parametrize("kept", [24, 20, 0])
async def test_s26_a_cut_end_does_not_reach_the_head(owner: Store, chain: None, kept: int) -> None:
    checked = await forged(owner, f"DELETE FROM admin_event WHERE seq > {kept}")
    assert checked.broken == Broken(kept + 1, "head-missing")


async def test_s26_a_chain_written_anew_is_found_against_a_head_that_a_root_kept(
    owner: Store, chain: None
) -> None:
    """Whoever holds the database writes every row and the head again, with links that fit."""
    kept = await forged(owner)
    assert kept.head is not None
    head = Head(seq=10, h=await link_of(owner, 10))
    anew = await forged_against(owner, [head], written_anew(15))
    assert anew.broken == Broken(10, "operators-rewritten")
    assert (await forged_against(owner, [head])).broken is None
    cut = await forged_against(
        owner,
        [kept.head],
        "DELETE FROM admin_event WHERE seq > 20",
        "UPDATE admin_head SET (seq, prev, h) = (SELECT seq, prev, h FROM admin_event WHERE seq = 20)",
    )
    assert cut.broken == Broken(ROWS, "operators-rewritten")


def written_anew(last: int) -> str:
    """Rows 1 to `last` become others, linked as they should be, and the head with them."""
    return f"""
    WITH RECURSIVE said AS (
        SELECT seq, replace(entry, 'op-1', 'op-2') AS entry FROM admin_event WHERE seq <= {last}
    ), linked AS (
        SELECT s.seq, s.entry, decode(repeat('00', 32), 'hex') AS prev,
               sha256('\\x01'::bytea || decode(repeat('00', 32), 'hex') || int8send(s.seq)
                      || sha256(convert_to(s.entry, 'UTF8'))) AS h
        FROM said s WHERE s.seq = 1
        UNION ALL
        SELECT s.seq, s.entry, l.h,
               sha256('\\x01'::bytea || l.h || int8send(s.seq) || sha256(convert_to(s.entry, 'UTF8')))
        FROM said s JOIN linked l ON s.seq = l.seq + 1
    ), gone AS (
        DELETE FROM admin_event WHERE seq > {last}
    ), moved AS (
        UPDATE admin_head SET (seq, prev, h) = (SELECT seq, prev, h FROM linked WHERE seq = {last})
    )
    UPDATE admin_event e SET entry = l.entry, prev = l.prev, h = l.h FROM linked l WHERE l.seq = e.seq
    """


async def link_of(owner: Store, seq: int) -> bytes:
    async with owner.transaction() as tx:
        found: bytes = await tx.fetchval("SELECT h FROM admin_event WHERE seq = $1", seq)
    return found


async def forged_against(owner: Store, kept: list[Head], *statements: str) -> Checked:
    found: list[Checked] = []
    try:
        async with owner.transaction() as tx:
            for statement in statements:
                await tx.execute(statement)
            found.append(await verify_operators(tx, kept))
            raise ForgedError
    except ForgedError:
        return found[0]
