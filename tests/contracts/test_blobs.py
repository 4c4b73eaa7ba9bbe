"""What every blob store keeps (the file system's today), and security.md S32."""

import os
from pathlib import Path

import pytest

from kernel.ids import uuid7
from store import blobs as blob_module
from store.blobs import BlobError, BlobMissingError, BlobStore, FilesystemBlobs
from store.keys import KeyRing, add_key
from tests.support.clock import START

PERSON = uuid7(START)
OTHER = uuid7(START)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def store_of_blobs(root: Path, keys: KeyRing) -> BlobStore:
    return FilesystemBlobs(root, keys)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_what_is_put_is_got(store_of_blobs: BlobStore) -> None:
    for data in (b"", b"x", bytes(range(256)) * 5000):
        stored = await store_of_blobs.put(PERSON, data)
        assert stored.length == len(data)
        assert await store_of_blobs.get(PERSON, stored.blob_id) == data


async def test_s32_equal_files_share_neither_name_nor_bytes(store_of_blobs: BlobStore, root: Path) -> None:
    first = await store_of_blobs.put(PERSON, b"the same scan")
    second = await store_of_blobs.put(PERSON, b"the same scan")
    assert first.sha256 == second.sha256
    assert first.blob_id != second.blob_id
    assert len({path.read_bytes() for path in files(root)}) == 2
    assert not any(first.sha256.hex() in path.name for path in files(root))


async def test_s32_erasing_one_persons_copy_leaves_the_others(store_of_blobs: BlobStore) -> None:
    mine = await store_of_blobs.put(PERSON, b"scan")
    theirs = await store_of_blobs.put(OTHER, b"scan")
    await store_of_blobs.delete(PERSON, mine.blob_id)
    with pytest.raises(BlobMissingError):
        await store_of_blobs.get(PERSON, mine.blob_id)
    assert await store_of_blobs.get(OTHER, theirs.blob_id) == b"scan"
    await store_of_blobs.delete(PERSON, mine.blob_id)


async def test_s32_another_persons_blob_does_not_open(store_of_blobs: BlobStore) -> None:
    stored = await store_of_blobs.put(PERSON, b"scan")
    with pytest.raises(BlobError):
        await store_of_blobs.get(OTHER, stored.blob_id)


async def test_the_disk_holds_no_clear_text_and_no_other_user_reads_it(
    store_of_blobs: BlobStore, root: Path
) -> None:
    await store_of_blobs.put(PERSON, b"chan doan: tang huyet ap" * 10)
    (path,) = files(root)
    assert b"huyet" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


async def test_a_damaged_file_is_noticed(store_of_blobs: BlobStore, root: Path) -> None:
    stored = await store_of_blobs.put(PERSON, b"scan")
    (path,) = files(root)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:10], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(damaged)
        with pytest.raises(BlobError):
            await store_of_blobs.get(PERSON, stored.blob_id)


async def test_a_write_that_dies_leaves_no_blob(
    store_of_blobs: BlobStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BlobError):
        await store_of_blobs.put(PERSON, b"scan")
    assert files(root) == []


async def test_too_large_a_blob_is_refused(
    store_of_blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_module, "BLOB_BYTES_MAX", 10)
    with pytest.raises(BlobError):
        await store_of_blobs.put(PERSON, b"x" * 11)


async def test_after_a_rotation_old_blobs_open(root: Path, tmp_path: Path) -> None:
    key_directory = tmp_path / "keys"
    before = FilesystemBlobs(root, KeyRing.create(key_directory, demo=False))
    stored = await before.put(PERSON, b"old")
    add_key(key_directory, "field")
    after = FilesystemBlobs(root, KeyRing.load(key_directory))
    assert await after.get(PERSON, stored.blob_id) == b"old"
