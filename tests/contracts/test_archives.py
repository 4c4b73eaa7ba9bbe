"""What every archive of backups keeps, in a directory and in a bucket alike."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from store import archives
from store.archives import (
    Archive,
    ArchiveError,
    ArchiveMissingError,
    DirectoryArchive,
    open_bucket_archive,
)
from store.blobs_s3 import open_s3_client
from tests.support.object_store import ACCESS_KEY, REGION, SECRET_KEY, ObjectStore, object_store


@pytest.fixture(scope="module")
def server_of_objects() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture(params=["directory", "bucket"])
async def archive(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server_of_objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Archive]:
    if request.param == "directory":
        yield DirectoryArchive(tmp_path / "archive")
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    name = f"backups-{uuid4().hex}"
    async with open_s3_client(server_of_objects.endpoint, REGION) as client:
        await client.create_bucket(Bucket=name)
    async with open_bucket_archive(server_of_objects.endpoint, name, REGION, "site/") as opened:
        yield opened


async def test_what_is_put_is_listed_read_whole_and_in_part_and_removed(archive: Archive) -> None:
    assert await archive.names("n0/") == []
    for name, data in {"n0/wal/b": b"0123456789", "n0/wal/a": b"", "n1/wal/c": b"x"}.items():
        await archive.put(name, data)
    await archive.put("n0/wal/a", b"last")
    assert [(one.name, one.length) for one in await archive.names("n0/")] == [
        ("n0/wal/a", 4),
        ("n0/wal/b", 10),
    ]
    assert await archive.get("n0/wal/a") == b"last"
    assert await archive.get("n0/wal/b", 2, 3) == b"234"
    assert await archive.get("n0/wal/b", 8, 30) == b"89"
    assert await archive.get("n0/wal/b", 4) == b"456789"
    for _ in range(2):
        await archive.delete("n0/wal/b")
    with pytest.raises(ArchiveMissingError):
        await archive.get("n0/wal/b")
    assert [one.name for one in await archive.names("")] == ["n0/wal/a", "n1/wal/c"]


async def test_more_files_than_a_page_of_a_listing_are_all_listed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "PAGE_FILES", 3)
    for number in range(10):
        await archive.put(f"many/{number}", b"")
    assert [one.name for one in await archive.names("many/")] == [f"many/{n}" for n in range(10)]


async def test_a_directory_shows_nothing_half_and_leaves_nothing_empty(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    archive = DirectoryArchive(root)
    await archive.put("a/b/c", b"x")
    (root / "a" / "b" / "half.part").touch()
    assert [one.name for one in await archive.names("")] == ["a/b/c"]
    (root / "a" / "b" / "half.part").unlink()
    await archive.delete("a/b/c")
    assert not (root / "a").exists()
    root.rmdir()
    root.touch()
    with pytest.raises(ArchiveError):
        await archive.put("a", b"x")


async def test_a_bucket_that_is_not_there_is_said(
    server_of_objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    for endpoint in (server_of_objects.endpoint, "http://127.0.0.1:9"):
        async with open_bucket_archive(endpoint, f"no-{uuid4().hex}", REGION) as archive:
            with pytest.raises(ArchiveError):
                await archive.names("")
