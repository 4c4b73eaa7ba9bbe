"""What every blob store keeps, on a disk and in a real object store alike, and security.md S32."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest

from kernel.ids import uuid7
from store import blobs as blob_module
from store import blobs_s3
from store.blob_cipher import CHUNK_BYTES
from store.blobs import (
    BlobError,
    BlobMissingError,
    BlobStore,
    BlobTooLargeError,
    BlobUnavailableError,
    FilesystemBlobs,
    person_prefix,
)
from store.blobs_s3 import open_s3_blobs
from store.keys import KeyRing, add_key
from tests.support.clock import START
from tests.support.object_store import ACCESS_KEY, REGION, SECRET_KEY, ObjectStore, object_store

BUCKET = "blobs"
MIB = 1024 * 1024


class Kept(Protocol):
    """What lies in a store, behind its back."""

    async def names(self) -> list[str]: ...
    async def read(self, name: str) -> bytes: ...
    async def write(self, name: str, data: bytes) -> None: ...
    async def unfinished(self) -> int: ...


class Files:
    def __init__(self, root: Path) -> None:
        self.root = root

    async def names(self) -> list[str]:
        return [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()]

    async def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    async def write(self, name: str, data: bytes) -> None:
        (self.root / name).write_bytes(data)

    async def unfinished(self) -> int:
        return len(list(self.root.rglob("*.part")))


class Objects:
    def __init__(self, client: Any) -> None:
        self.client = client

    async def names(self) -> list[str]:
        page = await self.client.list_objects_v2(Bucket=BUCKET)
        return [found["Key"] for found in page.get("Contents", [])]

    async def read(self, name: str) -> bytes:
        found = await self.client.get_object(Bucket=BUCKET, Key=name)
        async with found["Body"] as body:
            return bytes(await body.read())

    async def write(self, name: str, data: bytes) -> None:
        await self.client.put_object(Bucket=BUCKET, Key=name, Body=data)

    async def unfinished(self) -> int:
        page = await self.client.list_multipart_uploads(Bucket=BUCKET)
        return len(page.get("Uploads", []))


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture
async def s3(server: ObjectStore, keys: KeyRing, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """An object store with an empty bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    async with open_s3_blobs(server.endpoint, BUCKET, REGION, keys) as opened:
        client = opened._client
        try:
            await opened.check()
        except BlobUnavailableError:
            await client.create_bucket(Bucket=BUCKET)
        for name in await Objects(client).names():
            await client.delete_object(Bucket=BUCKET, Key=name)
        yield opened


@pytest.fixture(params=["files", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path, keys: KeyRing) -> tuple[BlobStore, Kept]:
    if request.param == "files":
        return FilesystemBlobs(tmp_path / "blobs", keys), Files(tmp_path / "blobs")
    opened = request.getfixturevalue("s3")
    return opened, Objects(opened._client)


@pytest.fixture
def blobs(place: tuple[BlobStore, Kept]) -> BlobStore:
    return place[0]


@pytest.fixture
def kept(place: tuple[BlobStore, Kept]) -> Kept:
    return place[1]


async def pieces(count: int, size: int = MIB) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 251]) * size


PERSON = uuid7(START)
OTHER = uuid7(START)


async def test_what_is_put_is_got(blobs: BlobStore) -> None:
    for data in (b"", b"x", bytes(range(256)) * 5000, b"z" * CHUNK_BYTES, b"z" * (2 * CHUNK_BYTES + 1)):
        stored = await blobs.put(PERSON, data)
        assert stored.length == len(data)
        assert await blobs.get(PERSON, stored.blob_id) == data


async def test_a_large_file_goes_in_and_out_in_pieces(blobs: BlobStore) -> None:
    """80 MiB pass through less than half of that: an object store's part is 6 MiB, held a few times."""
    tracemalloc.start()
    stored = await blobs.put_stream(PERSON, pieces(80))
    length, largest = 0, 0
    async with aclosing(blobs.get_stream(PERSON, stored.blob_id)) as parts:
        async for part in parts:
            length, largest = length + len(part), max(largest, len(part))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (stored.length, length) == (80 * MIB, 80 * MIB)
    assert largest <= CHUNK_BYTES
    assert peak < 40 * MIB
    await blobs.delete(PERSON, stored.blob_id)


async def test_s35_the_media_type_is_told_by_content(blobs: BlobStore) -> None:
    told = {
        b"\xff\xd8\xff\xe0 picture": "image/jpeg",
        b"\x89PNG\r\n\x1a\n rest": "image/png",
        b"%PDF-1.7 rest": "application/pdf",
        bytes(128) + b"DICM": "application/dicom",
        "Kết quả: bình thường".encode(): "text/plain",
        b"<svg onload='alert(1)'/>": "application/octet-stream",
        b" \n<html>": "application/octet-stream",
        b"\x00\x01\x02": "application/octet-stream",
        b"": "application/octet-stream",
        ("ă" * 400).encode(): "text/plain",
    }
    assert {data: (await blobs.put(PERSON, data)).media_type for data in told} == told


async def test_s32_equal_files_share_neither_name_nor_bytes(blobs: BlobStore, kept: Kept) -> None:
    first = await blobs.put(PERSON, b"the same scan")
    second = await blobs.put(PERSON, b"the same scan")
    assert first.sha256 == second.sha256
    assert first.blob_id != second.blob_id
    names = await kept.names()
    assert len({await kept.read(name) for name in names}) == 2
    assert not any(first.sha256.hex() in name or str(PERSON) in name for name in names)


async def test_s32_erasing_a_person_leaves_the_others_copy(blobs: BlobStore, kept: Kept) -> None:
    mine = [await blobs.put(PERSON, b"scan") for _ in range(3)]
    theirs = await blobs.put(OTHER, b"scan")
    assert await blobs.erase(PERSON) == 3
    for stored in mine:
        with pytest.raises(BlobMissingError):
            await blobs.get(PERSON, stored.blob_id)
    assert await blobs.get(OTHER, theirs.blob_id) == b"scan"
    assert not any(person_prefix(PERSON) in name for name in await kept.names())
    assert await blobs.erase(PERSON) == 0


async def test_every_blob_is_told_with_its_key_whoever_it_is_of(blobs: BlobStore) -> None:
    people = [uuid4() for _ in range(3)]
    kept = [(who, (await blobs.put(who, b"%PDF-1.7 a")).blob_id) for who in people for _ in range(2)]
    told = {name: key_id async for name, key_id in blobs.every()}
    assert {told[f"{person_prefix(who)}/{blob_id.hex}"] for who, blob_id in kept} == {"0001"}
    for who in people:
        await blobs.erase(who)
    assert (
        not set(told)
        & {name async for name, _ in blobs.every()}
        & {f"{person_prefix(who)}/{blob_id.hex}" for who, blob_id in kept}
    )


async def test_a_walk_over_every_file_lists_nobody_ahead(tmp_path: Path, keys: KeyRing) -> None:
    """A directory each of eight million people would be gigabytes of names."""
    blobs, people = FilesystemBlobs(tmp_path, keys), iter(uuid4, None)
    first = next(who for who in people if person_prefix(who) < "8")
    later = next(who for who in people if person_prefix(who) > "8")
    beside = next(who for who in people if person_prefix(who)[:2] == person_prefix(later)[:2])
    await blobs.put(first, b"%PDF-1.7 a")
    await blobs.put(later, b"%PDF-1.7 b")
    await blobs.erase(later)
    # As a file manager leaves one behind.
    (tmp_path / person_prefix(later)[:2] / ".directory").write_bytes(b"")
    walk = blobs.every()
    assert (await anext(walk))[0].startswith(person_prefix(first))
    kept = await blobs.put(beside, b"%PDF-1.7 c")
    assert [name async for name, _ in walk] == [f"{person_prefix(beside)}/{kept.blob_id.hex}"]
    assert await blobs.erase_every() == 2


async def test_a_store_is_emptied_of_whoever_s_they_are(blobs: BlobStore, kept: Kept) -> None:
    for who in (PERSON, PERSON, OTHER, uuid4()):
        await blobs.put(who, b"scan")
    assert len([name async for name in blobs.names()]) == 4
    assert await blobs.erase_every() == 4
    assert [name async for name in blobs.names()] == await kept.names() == []
    assert await blobs.erase_every() == 0


async def test_what_others_keep_in_the_bucket_is_none_of_ours(s3: Any) -> None:
    client, theirs = s3._client, ["0/notes", f"{person_prefix(PERSON)}/notes", "zz/notes"]
    for key in theirs:
        await client.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    await client.create_multipart_upload(Bucket=BUCKET, Key="theirs")
    own = await s3.put(PERSON, b"scan")
    assert [name async for name in s3.names()] == [f"{person_prefix(PERSON)}/{own.blob_id.hex}"]
    assert len([one async for one in s3.every()]) == 1
    assert await s3.sweep(START.replace(year=2200)) == 0
    assert await s3.erase_every() == 1
    assert await Objects(client).names() == theirs
    assert await Objects(client).unfinished() == 1
    (upload,) = (await client.list_multipart_uploads(Bucket=BUCKET))["Uploads"]
    await client.abort_multipart_upload(Bucket=BUCKET, Key="theirs", UploadId=upload["UploadId"])


async def test_one_upload_is_removed_and_removed_again(blobs: BlobStore) -> None:
    stored = await blobs.put(PERSON, b"scan")
    await blobs.delete(PERSON, stored.blob_id)
    await blobs.delete(PERSON, stored.blob_id)
    with pytest.raises(BlobMissingError):
        await blobs.get(PERSON, stored.blob_id)


async def test_s32_another_persons_blob_does_not_open(blobs: BlobStore, kept: Kept) -> None:
    stored = await blobs.put(PERSON, b"scan")
    with pytest.raises(BlobError):
        await blobs.get(OTHER, stored.blob_id)
    # Nor where somebody with access to the store moves it under the other's names.
    (name,) = await kept.names()
    other = await blobs.put(OTHER, b"x")
    (place,) = [found for found in await kept.names() if found != name]
    await kept.write(place, await kept.read(name))
    with pytest.raises(BlobError):
        await blobs.get(OTHER, other.blob_id)


async def test_the_store_holds_no_clear_text(blobs: BlobStore, kept: Kept) -> None:
    await blobs.put(PERSON, b"chan doan: tang huyet ap" * 10)
    (name,) = await kept.names()
    assert b"huyet" not in await kept.read(name)


async def test_damage_is_noticed_wherever_it_is(blobs: BlobStore, kept: Kept) -> None:
    stored = await blobs.put(PERSON, b"s" * (3 * CHUNK_BYTES + 5))
    (name,) = await kept.names()
    whole = await kept.read(name)
    sealed = CHUNK_BYTES + 16
    start = len(whole) - (3 * sealed + 5 + 16)
    head, chunks = whole[:start], [whole[at : at + sealed] for at in range(start, len(whole), sealed)]
    damaged = {
        "cut in the last chunk": whole[:-1],
        "cut between chunks": head + b"".join(chunks[:-1]),
        "cut to one chunk": head + chunks[0],
        "header alone": head,
        "half a header": whole[:10],
        "empty": b"",
        "one bit": whole[:-1] + bytes([whole[-1] ^ 1]),
        "another key id": bytes([whole[0], whole[1], whole[2] ^ 1]) + whole[3:],
        "swapped": head + chunks[1] + chunks[0] + b"".join(chunks[2:]),
        "repeated": head + chunks[0] + b"".join(chunks),
        "left out": head + b"".join(chunks[1:]),
        "longer": whole + chunks[0],
    }
    for what, data in damaged.items():
        await kept.write(name, data)
        try:
            await blobs.get(PERSON, stored.blob_id)
        except BlobError:
            continue
        pytest.fail(what)


async def test_an_upload_that_breaks_off_leaves_nothing(blobs: BlobStore, kept: Kept) -> None:
    async def broken(count: int) -> AsyncIterator[bytes]:
        async for part in pieces(count):
            yield part
        raise ConnectionResetError("the sender went away")

    for count in (0, 1, 20):
        with pytest.raises((BlobError, ConnectionResetError)):
            await blobs.put_stream(PERSON, broken(count))
    assert await kept.names() == []
    assert await kept.unfinished() == 0


async def test_an_upload_that_is_cancelled_leaves_nothing(blobs: BlobStore, kept: Kept) -> None:
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for part in pieces(20):
            yield part
        reached.set()
        await asyncio.sleep(600)

    uploading = asyncio.create_task(blobs.put_stream(PERSON, endless()))
    await reached.wait()
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    assert await kept.names() == []
    assert await kept.unfinished() == 0


async def test_too_large_a_blob_is_refused(
    blobs: BlobStore, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_module, "BLOB_BYTES_MAX", 10 * MIB)
    with pytest.raises(BlobTooLargeError):
        await blobs.put_stream(PERSON, pieces(11))
    with pytest.raises(BlobError):
        await blobs.put(PERSON, bytes(10 * MIB + 1))
    assert await kept.names() == []


async def test_a_store_that_can_keep_something_says_so(blobs: BlobStore) -> None:
    await blobs.check()


async def test_the_disk_is_closed_to_other_users(tmp_path: Path, keys: KeyRing) -> None:
    await FilesystemBlobs(tmp_path / "blobs", keys).put(PERSON, b"scan")
    for path in (tmp_path / "blobs").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0


async def test_a_full_disk_leaves_no_blob(
    tmp_path: Path, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BlobUnavailableError):
        await FilesystemBlobs(tmp_path / "blobs", keys).put(PERSON, b"scan")
    assert await Files(tmp_path / "blobs").names() == []


async def test_what_a_killed_process_left_is_swept(tmp_path: Path, keys: KeyRing) -> None:
    blobs = FilesystemBlobs(tmp_path / "blobs", keys)
    stored = await blobs.put(PERSON, b"scan")
    (name,) = await Files(tmp_path / "blobs").names()
    half = (tmp_path / "blobs" / name).with_name("dead").with_suffix(".part")
    half.write_bytes(b"half")
    os.utime(half, (START.timestamp(), START.timestamp()))
    assert await blobs.sweep(START) == 0
    assert await blobs.sweep(START + timedelta(hours=1)) == 1
    assert await blobs.get(PERSON, stored.blob_id) == b"scan"


async def test_what_a_killed_process_left_in_the_object_store_is_swept(s3: Any) -> None:
    client = s3._client
    key = f"{person_prefix(PERSON)}/{'de' * 16}"
    upload = await client.create_multipart_upload(Bucket=BUCKET, Key=key)
    await client.upload_part(
        Bucket=BUCKET, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=bytes(5 * MIB)
    )
    assert await Objects(client).names() == []
    assert await s3.sweep(START) == 0
    assert await s3.sweep(START.replace(year=2200)) == 1
    assert await Objects(client).unfinished() == 0


async def test_an_object_store_that_hangs_or_is_gone_is_an_error_and_no_wait_for_ever(
    keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setattr(blobs_s3, "READ_SECONDS", 1)
    monkeypatch.setattr(blobs_s3, "TRIES", 1)
    monkeypatch.setattr(blobs_s3, "REQUEST_SECONDS", 3.0)
    with object_store() as mortal:
        async with open_s3_blobs(mortal.endpoint, BUCKET, REGION, keys) as blobs:
            await blobs._client.create_bucket(Bucket=BUCKET)
            stored = await blobs.put(PERSON, b"scan")
            mortal.pause()
            hanging = [
                blobs.check,
                partial(blobs.put, PERSON, b"x"),
                partial(blobs.get, PERSON, stored.blob_id),
            ]
            for act in hanging:
                with pytest.raises(BlobUnavailableError):
                    await act()
            mortal.go_on()
            assert await blobs.get(PERSON, stored.blob_id) == b"scan"
            mortal.process.kill()
            mortal.process.wait(30)
            with pytest.raises(BlobUnavailableError):
                await blobs.put(PERSON, b"x")


async def test_a_wrong_secret_opens_nothing(
    server: ObjectStore, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    async with open_s3_blobs(server.endpoint, BUCKET, REGION, keys) as blobs:
        for act in (blobs.check, partial(blobs.put, PERSON, b"x"), partial(blobs.get, PERSON, uuid7(START))):
            with pytest.raises(BlobUnavailableError):
                await act()


async def test_after_a_rotation_old_blobs_open(tmp_path: Path) -> None:
    key_directory = tmp_path / "keys"
    before = FilesystemBlobs(tmp_path / "blobs", KeyRing.create(key_directory, demo=False))
    stored = await before.put(PERSON, b"old")
    add_key(key_directory, "field")
    after = FilesystemBlobs(tmp_path / "blobs", KeyRing.load(key_directory))
    assert await after.get(PERSON, stored.blob_id) == b"old"
    assert await after.erase(PERSON) == 1
