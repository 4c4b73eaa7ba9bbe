"""The journal outside the database: its order, its chain, its mark, and what a dying writer leaves (S12)."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from store import journal
from store.database import Store
from store.journal import JournalError, is_ahead, mark_of, number, position_of, read_lines, write_out
from store.journal_files import DirectoryJournal
from tests.support.clock import FrozenClock


@pytest.fixture
def files(tmp_path: Path) -> DirectoryJournal:
    return DirectoryJournal(tmp_path / "journal")


async def _act(store: Store, clock: FrozenClock, **ids: str) -> int:
    async with store.transaction() as tx:
        return await number(tx, uuid4(), "revoke", ids, clock.now())


async def _seqs(files: DirectoryJournal, after: int = 0) -> list[int]:
    return [line.seq async for line, _ in read_lines(files, after)]


async def test_acts_stand_in_one_order_whoever_numbers_them(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal
) -> None:
    numbers = await asyncio.gather(*(_act(fresh_store, clock, grant_id=str(n)) for n in range(20)))
    assert sorted(numbers) == list(range(1, 21))
    assert await write_out(fresh_store, files) == 20
    await _act(fresh_store, clock, grant_id="21")
    assert await write_out(fresh_store, files) == 1
    assert await _seqs(files) == list(range(1, 22))
    assert await _seqs(files, after=19) == [20, 21]
    assert await write_out(fresh_store, files) == 0


async def test_an_act_that_rolled_back_takes_no_number(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal
) -> None:

    async def fail() -> None:
        async with fresh_store.transaction() as tx:
            await number(tx, uuid4(), "revoke", {}, clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await _act(fresh_store, clock) == 1
    await write_out(fresh_store, files)
    assert await _seqs(files) == [1]


async def test_a_writer_that_dies_after_the_file_leaves_lines_once(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _act(fresh_store, clock, grant_id="1")
    kept = files.put

    async def die(name: str, data: bytes) -> None:
        await kept(name, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "put", die)
    with pytest.raises(KeyboardInterrupt):
        await write_out(fresh_store, files)
    monkeypatch.undo()
    await _act(fresh_store, clock, grant_id="2")
    assert await write_out(fresh_store, files) == 2
    assert await _seqs(files) == [1, 2]
    async with fresh_store.transaction() as tx:
        assert not is_ahead(await mark_of(files), await position_of(tx))


async def test_several_writers_at_once_write_the_same_journal(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal
) -> None:
    for n in range(10):
        await _act(fresh_store, clock, grant_id=str(n))
        await asyncio.gather(*(write_out(fresh_store, files) for _ in range(3)))
    assert await _seqs(files) == list(range(1, 11))


async def test_s12_a_database_behind_the_mark_was_restored(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal
) -> None:
    async with fresh_store.transaction() as tx:
        before = await position_of(tx)
    assert not is_ahead(await mark_of(files), before)
    await write_out(fresh_store, files)
    async with fresh_store.transaction() as tx:
        assert not is_ahead(await mark_of(files), await position_of(tx))
    assert is_ahead(await mark_of(files), before), "nothing was done since, but the beat went on"


async def test_s12_a_journal_that_knows_nothing_is_not_the_one_of_a_database_that_wrote_one(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal, tmp_path: Path
) -> None:
    await _act(fresh_store, clock)
    await write_out(fresh_store, files)
    async with fresh_store.transaction() as tx:
        assert not is_ahead(await mark_of(files), await position_of(tx))
        assert is_ahead(await mark_of(DirectoryJournal(tmp_path / "mistyped")), await position_of(tx))


async def test_s12_a_writer_that_ends_late_does_not_lower_the_mark(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, is_first = files.put, True

    async def slow(name: str, data: bytes) -> None:
        nonlocal is_first
        await kept(name, data)
        if is_first:
            is_first = False
            await _act(fresh_store, clock, grant_id="2")
            await write_out(fresh_store, files)

    monkeypatch.setattr(files, "put", slow)
    await _act(fresh_store, clock, grant_id="1")
    await write_out(fresh_store, files)
    async with fresh_store.transaction() as tx:
        at = await position_of(tx)
    mark = await mark_of(files)
    assert mark is not None
    assert (mark.seq, mark.beat) == (at.seq, at.beat) == (2, 2)


async def test_only_files_with_lines_after_the_backup_are_read(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal, tmp_path: Path
) -> None:
    """Those of years before may lie in an archive, or be gone."""
    async with fresh_store.transaction() as tx:
        before = await position_of(tx)
    for n in range(4):
        await _act(fresh_store, clock, grant_id=str(n))
        await write_out(fresh_store, files)
        if n == 1:
            async with fresh_store.transaction() as tx:
                before = await position_of(tx)
    first, second, _, last = sorted((tmp_path / "journal").glob("*.ndjson"))
    first.unlink()
    second.unlink()
    assert [line.seq async for line, _ in read_lines(files, before.seq, before.h)] == [3, 4]
    with pytest.raises(JournalError):
        [line async for line, _ in read_lines(files, before.seq, b"x" * 32)]
    with pytest.raises(JournalError):
        await _seqs(files)
    last.write_bytes(last.read_bytes().replace(b'"grant_id":"3"', b'"grant_id":"9"', 1))
    assert await _seqs(files, after=2) == [3, 4], "the last line has nothing after it: the mark stands for it"


@pytest.mark.parametrize("harm", ["edit", "delete", "cut"])
async def test_a_journal_that_was_changed_is_not_replayed(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal, tmp_path: Path, harm: str
) -> None:
    for n in range(3):
        await _act(fresh_store, clock, grant_id=str(n))
        await write_out(fresh_store, files)
    first, second, _ = sorted((tmp_path / "journal").glob("*.ndjson"))
    if harm == "edit":
        first.write_bytes(first.read_bytes().replace(b'"grant_id":"0"', b'"grant_id":"9"'))
    elif harm == "delete":
        second.unlink()
    else:
        second.write_bytes(second.read_bytes()[:40])
    with pytest.raises(JournalError):
        await _seqs(files)


async def test_what_waits_for_the_journal_is_known_per_person(
    fresh_store: Store, clock: FrozenClock, files: DirectoryJournal
) -> None:
    person = uuid4()
    async with fresh_store.transaction() as tx:
        await number(tx, person, "erase", {}, clock.now())
        assert not await journal.is_written(tx, person)
        assert await journal.is_written(tx, uuid4())
    await write_out(fresh_store, files)
    async with fresh_store.transaction() as tx:
        assert await journal.is_written(tx, person)
