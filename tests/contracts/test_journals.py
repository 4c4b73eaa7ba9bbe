"""What every journal keeps, in a directory and in a bucket with object lock alike (security.md S12)."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from healthbook.recovery.service import recover
from kernel.clock import SystemClock
from store.blobs_s3 import open_s3_client
from store.database import Store
from store.journal import (
    JournalError,
    JournalFiles,
    is_ahead,
    mark_of,
    number,
    position_of,
    read_lines,
    write_out,
)
from store.journal_files import LOCKED_FOR, DirectoryJournal, open_bucket_journal
from tests.support.clock import FrozenClock
from tests.support.object_store import ACCESS_KEY, REGION, SECRET_KEY, ObjectStore, object_store


@pytest.fixture(scope="module")
def server_of_objects() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture
async def client(server_of_objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    async with open_s3_client(server_of_objects.endpoint, REGION) as opened:
        yield opened


@pytest.fixture
async def bucket(client: Any) -> str:
    """A new bucket that locks."""
    name = f"journal-{uuid4().hex}"
    await client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture(params=["directory", "bucket"])
async def files(
    request: pytest.FixtureRequest, tmp_path: Path, server_of_objects: ObjectStore, bucket: str
) -> AsyncIterator[JournalFiles]:
    if request.param == "directory":
        yield DirectoryJournal(tmp_path / "journal")
        return
    # The store locks until a time of its own clock.
    async with open_bucket_journal(server_of_objects.endpoint, bucket, REGION, SystemClock()) as opened:
        yield opened


async def act(store: Store, clock: FrozenClock, **ids: str) -> None:
    async with store.transaction() as tx:
        await number(tx, uuid4(), "revoke", ids, clock.now())


async def test_what_is_put_is_got_in_order_and_again_is_no_error(files: JournalFiles) -> None:
    assert (await files.names(), await files.mark()) == ([], None)
    for name in ("0002-0002.ndjson", "0001-0001.ndjson", "0001-0001.ndjson"):
        await files.put(name, name.encode())
    assert await files.names() == ["0001-0001.ndjson", "0002-0002.ndjson"]
    assert await files.get("0002-0002.ndjson") == b"0002-0002.ndjson"
    with pytest.raises(JournalError):
        await files.get("0003-0003.ndjson")


async def test_the_mark_is_the_newest_one_and_no_file(files: JournalFiles) -> None:
    for data in (b"one", b"two"):
        await files.set_mark(data)
        assert await files.mark() == data
    assert await files.names() == []


async def test_acts_are_written_read_and_found_to_be_ahead(
    fresh_store: Store, clock: FrozenClock, files: JournalFiles
) -> None:
    async with fresh_store.transaction() as tx:
        before = await position_of(tx)
    for n in range(3):
        await act(fresh_store, clock, grant_id=str(n))
        assert await write_out(fresh_store, files) == 1
    found = [line async for line, _ in read_lines(files, 1)]
    assert [(line.seq, line.ids["grant_id"]) for line in found] == [(2, "1"), (3, "2")]
    async with fresh_store.transaction() as tx:
        assert not is_ahead(await mark_of(files), await position_of(tx))
    assert is_ahead(await mark_of(files), before)


async def test_a_writer_that_died_after_the_file_writes_it_again(
    fresh_store: Store, clock: FrozenClock, files: JournalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    await act(fresh_store, clock, grant_id="1")
    kept = files.put

    async def die(name: str, data: bytes) -> None:
        await kept(name, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "put", die)
    with pytest.raises(KeyboardInterrupt):
        await write_out(fresh_store, files)
    monkeypatch.undo()
    await act(fresh_store, clock, grant_id="2")
    assert await write_out(fresh_store, files) == 2
    assert [line.seq async for line, _ in read_lines(files, 0)] == [1, 2]


async def test_a_restored_database_is_recovered_from_it(
    fresh_store: Store, fresh_owner: Store, clock: FrozenClock, files: JournalFiles
) -> None:
    """fresh_owner's database never saw the acts: as one that comes from an older backup."""
    await act(fresh_store, clock, grant_id=str(uuid4()))
    await write_out(fresh_store, files)
    done = await recover(fresh_owner, files, ("Vận hành", "Khôi phục"), clock.now())
    assert done is not None
    assert (done.epoch, done.replayed) == (1, 1)
    assert await recover(fresh_owner, files, ("Vận hành", "Khôi phục"), clock.now()) is None


async def test_s12_a_backup_that_is_put_back_beside_an_empty_journal_is_recovered_once(
    fresh_owner: Store, clock: FrozenClock, files: JournalFiles
) -> None:
    """The epoch is the journal's first line: without it and a mark this would look like another's journal."""
    done = await recover(fresh_owner, files, ("Vận hành", "Khôi phục"), clock.now(), forced=True)
    assert done is not None
    assert [line.kind async for line, _ in read_lines(files, 0)] == ["epoch"]
    assert await recover(fresh_owner, files, ("Vận hành", "Khôi phục"), clock.now()) is None


async def test_s12_a_bucket_that_locks_nothing_is_no_journal(
    server_of_objects: ObjectStore, client: Any
) -> None:
    name = f"plain-{uuid4().hex}"
    await client.create_bucket(Bucket=name)
    for wrong in (name, f"nowhere-{uuid4().hex}"):
        with pytest.raises(JournalError):
            async with open_bucket_journal(server_of_objects.endpoint, wrong, REGION, SystemClock()):
                pytest.fail("opened")


async def test_s12_nobody_with_the_credentials_changes_or_removes_a_line(
    server_of_objects: ObjectStore, client: Any, bucket: str, fresh_store: Store, clock: FrozenClock
) -> None:
    now = SystemClock().now()
    async with open_bucket_journal(server_of_objects.endpoint, bucket, REGION, SystemClock()) as files:
        for n in range(2):
            await act(fresh_store, clock, grant_id=str(n))
            await write_out(fresh_store, files)
        lines = [line async for line, _ in read_lines(files, 0)]
        first, second = [f"journal/{name}" for name in await files.names()]
        kept = await client.head_object(Bucket=bucket, Key=first)
        assert kept["ObjectLockMode"] == "COMPLIANCE"
        until = kept["ObjectLockRetainUntilDate"]
        assert until >= now + LOCKED_FOR - timedelta(seconds=1)
        with pytest.raises(ClientError, match="AccessDenied"):
            await client.delete_object(Bucket=bucket, Key=first, VersionId=kept["VersionId"])
        # Over the name alone a store lets them: the version that was locked is the one that is read.
        await client.put_object(Bucket=bucket, Key=first, Body=b"{}")
        await client.delete_object(Bucket=bucket, Key=second)
        assert [line async for line, _ in read_lines(files, 0)] == lines
