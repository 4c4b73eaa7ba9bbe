"""What a repository keeps, lets go and says of itself (security.md S12)."""

import io
import math
import os
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from healthbook.backups.expiry import KEPT_FOR, expire
from healthbook.backups.fetch import Goal, NoBackupError, Trip, plan, unpack
from healthbook.backups.files import Files, bring_files, check_files, copy_files
from healthbook.backups.layout import (
    GONE,
    MANIFEST,
    POINTS,
    STATUS,
    Base,
    HistoryError,
    NodeStatus,
    Part,
    Point,
    branches,
    label_of,
    number_of,
    segment_of,
    way,
)
from healthbook.backups.restoring import Wish, goal_of
from healthbook.backups.status import report
from healthbook.backups.vault import Vault
from healthbook.backups.wal import make_spool
from healthbook.metrics.gauges import show_backups
from healthbook.settings import read_settings
from store.archives import ArchiveError, DirectoryArchive
from store.blobs import FilesystemBlobs
from store.keys import KeyRing
from store.sealing import SealError, make_identity, read_identities, read_recipients

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
MIB = 1024 * 1024
PREFIX = "ab" * 16


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    recipients = read_recipients([make_identity(tmp_path / "identity")])
    return Vault(
        DirectoryArchive(tmp_path / "repository"), recipients, read_identities(tmp_path / "identity")
    )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(DirectoryArchive(tmp_path / "blobs"), True)


def base_at(at: datetime, first: int, timeline: int = 1) -> Base:
    return Base(
        node="n0",
        label=label_of(at),
        system="1",
        major=18,
        timeline=timeline,
        segment_bytes=16 * MIB,
        first=first,
        started_at=at,
        ended_at=at + timedelta(minutes=5),
        parts=[],
    )


async def put_base(vault: Vault, base: Base) -> None:
    part = await vault.keep(f"{base.node}/base/{base.label}/00000", b"all of it")
    whole = Base(**{name: getattr(base, name) for name in base.__struct_fields__} | {"parts": [part]})
    await vault.note(f"{base.node}/base/{base.label}/{MANIFEST}", whole)


async def put_log(vault: Vault, *segments: str) -> None:
    for name in segments:
        await vault.keep(f"n0/wal/{name}", b"log", packed=True)


def names(*numbers: int, timeline: int = 1) -> set[str]:
    return {segment_of(timeline, number, 16 * MIB) for number in numbers}


def grow_old(root: Path, name: str, age: timedelta) -> None:
    """As if a file had been put that long before NOW."""
    at = (NOW - age).timestamp()
    os.utime(root / name, (at, at))


def test_names_of_segments_are_postgresqls() -> None:
    for segment_bytes in (MIB, 16 * MIB, 1024 * MIB):
        per_file = 0x1_0000_0000 // segment_bytes
        for number in (0, 1, per_file - 1, per_file, 7 * per_file + 3):
            name = segment_of(3, number, segment_bytes)
            assert (len(name), name[:8], number_of(name, segment_bytes)) == (24, "00000003", number)
    assert segment_of(1, 256, 16 * MIB) == "000000010000000100000000"


def test_the_way_goes_over_the_branch_of_a_restore_and_names_what_is_missing() -> None:
    base, history = base_at(NOW, 2), "1\t0/5000060\tbefore 2026-11-23 08:00:00+00\n"
    assert way(base, names(2, 3, 4), {}) == sorted(names(2, 3, 4))
    # The lost branch went on until 7; the new one begins within segment 5.
    held = names(2, 3, 4, 5, 6, 7) | names(5, 6, timeline=2)
    assert branches(2, {2: history}, 16 * MIB) == [(1, 0), (2, 5)]
    assert way(base, held, {2: history}) == [*sorted(names(2, 3, 4)), *sorted(names(5, 6, timeline=2))]
    for missing in (names(2), names(4), names(5, timeline=2)):
        with pytest.raises(HistoryError, match=missing.copy().pop()):
            way(base, held - missing, {2: history})
    with pytest.raises(HistoryError, match="does not come from"):
        way(base_at(NOW, 2, timeline=4), held, {5: history})


async def test_log_that_reached_the_repository_late_belongs_to_the_time_that_it_tells_of(
    vault: Vault, tmp_path: Path
) -> None:
    hour = timedelta(hours=1)
    begun, to = NOW - 8 * hour, NOW - 5 * hour
    await put_base(vault, base_at(begun, 3))
    await put_log(vault, *names(*range(3, 11)))
    # The repository was away from an hour after the copy until three hours after the wanted time.
    for name in names(*range(3, 11)):
        grow_old(tmp_path / "repository", f"n0/wal/{name}.age", 2 * hour)
    assert set((await plan(vault, "n0", to)).segments) == names(*range(3, 11))
    # A later whole copy says which segments were not yet written then.
    await put_base(vault, base_at(NOW - hour, 8))
    assert set((await plan(vault, "n0", to)).segments) == names(*range(3, 9))
    assert set((await plan(vault, "n0", None)).segments) == names(8, 9, 10)
    # What is lost after that is in nobody's way to before it.
    await vault.archive.delete(f"n0/wal/{names(9).pop()}.age")
    assert set((await plan(vault, "n0", to)).segments) == names(*range(3, 9))
    with pytest.raises(NoBackupError, match=names(9).pop()):
        await plan(vault, "n0", None)


async def test_s12_after_35_days_copies_and_their_log_are_gone_but_never_the_last_one(
    vault: Vault, tmp_path: Path
) -> None:
    hour = timedelta(hours=1)
    ages = ((KEPT_FOR + hour, 3), (KEPT_FOR - hour, 5), (timedelta(0), 9))
    old, edge, young = [base_at(NOW - age, first) for age, first in ages]
    for base in (old, edge, young):
        await put_base(vault, base)
    await put_log(vault, *names(*range(3, 11)))
    await vault.keep("n0/base/20260101T000000Z/00000", b"what broke off")
    grow_old(tmp_path / "repository", "n0/base/20260101T000000Z/00000.age", timedelta(days=4))
    # A kill leaves what was being written.
    parts = [f"n0/{place}.0011.part" for place in ("base/20260101T000000Z/00001.age", "wal/1", "wal/2")]
    for name, days in zip(parts, (4, 4, 2), strict=True):
        (tmp_path / "repository" / name).write_bytes(b"half")
        grow_old(tmp_path / "repository", name, timedelta(days=days))
    assert await expire(vault, ["n0"], NOW) == 1
    assert [base.label for base in await vault.bases("n0")] == [edge.label, young.label]
    assert set(await vault.log("n0")) == names(*range(5, 11))
    left = {one.name for one in await vault.archive.names("n0/base/")}
    assert not [name for name in left if old.label in name or "20260101" in name]
    assert [(tmp_path / "repository" / name).exists() for name in parts] == [False, False, True]
    assert await expire(vault, ["n0"], NOW + timedelta(days=400)) == 1
    assert [base.label for base in await vault.bases("n0")] == [young.label]


async def test_s12_of_a_server_that_left_the_cluster_nothing_is_kept_after_35_days(vault: Vault) -> None:
    day = timedelta(days=1)
    for node in ("n0", "n3"):
        await put_base(vault, replace(base_at(NOW - day, 3), node=node))
        await vault.keep(f"{node}/wal/{segment_of(1, 3, 16 * MIB)}", b"log", packed=True)
        await vault.note(f"{STATUS}{node}.json", NodeStatus(node=node, safe_until=NOW, looked_at=NOW))
    await vault.note(f"{POINTS}{label_of(NOW)}.json", Point(name=f"healthbook-{label_of(NOW)}", at=NOW))

    async def expire_at(now: datetime, *nodes: str) -> list[str]:
        await put_base(vault, base_at(now - timedelta(hours=1), 3))
        await vault.note(f"{STATUS}n0.json", NodeStatus(node="n0", safe_until=now, looked_at=now))
        await expire(vault, list(nodes), now)
        return [fault for one in await report(vault, now) for fault in one.faults]

    # It is away, is back, and leaves for good: the 35 days begin there.
    assert await expire_at(NOW, "n0") == []
    await expire_at(NOW + 30 * day, "n0", "n3")
    assert await expire_at(NOW + 40 * day, "n0") == []
    assert await expire_at(NOW + 74 * day, "n0") == []
    assert len(await vault.bases("n3")) == 1
    assert len(await vault.archive.names(POINTS)) == 1, "its copies lead to that instant"
    assert await expire_at(NOW + 76 * day, "n0") == []
    assert await vault.archive.names("n3/") == []
    assert [one.node for one in await vault.nodes()] == ["n0"]
    assert await vault.archive.names(POINTS) == []


async def test_a_server_that_left_is_not_shown_as_late(vault: Vault, tmp_path: Path) -> None:
    settings = read_settings({"HEALTHBOOK_BACKUP": str(tmp_path / "repository")})
    for left_at in (None, NOW):
        found = NodeStatus(node="n7", safe_until=NOW, looked_at=NOW, left_at=left_at)
        await vault.note(f"{STATUS}n7.json", found)
        await show_backups(settings)
        shown = REGISTRY.get_sample_value("healthbook_backup_safe_until_timestamp_seconds", {"node": "n7"})
        assert shown is not None
        assert math.isnan(shown) == (left_at is not None)


@pytest.mark.parametrize(
    ("file", "named"), [("files", "files"), ("points", "points"), ("n2", "n0/../files"), ("n2", "n1")]
)
async def test_what_somebody_wrote_of_a_server_names_no_other_directory(
    vault: Vault, file: str, named: str
) -> None:
    long_ago = NOW - 2 * KEPT_FOR
    status = NodeStatus(node=named, looked_at=long_ago, left_at=long_ago)
    await vault.note(f"{STATUS}{file}.json", status)
    await vault.keep("files/kept", b"here")
    with pytest.raises(ArchiveError):
        await expire(vault, ["n0"], NOW)
    assert [one.name for one in await vault.archive.names("files/")] == ["files/kept.age"]


async def test_s12_a_file_that_is_gone_is_kept_for_35_days_and_comes_back_to_before(
    vault: Vault, files: Files, tmp_path: Path
) -> None:
    large = os.urandom(33 * MIB)
    names = [f"ab/{PREFIX}/{name}" for name in ("11", "22")]
    for name, data in zip(names, (b"", large), strict=True):
        await files.archive.put(name, data)
        os.utime(tmp_path / "blobs" / name, (1, 1))
    assert await copy_files(vault, files, NOW, lambda _: None) == 2
    assert await copy_files(vault, files, NOW, lambda _: None) == 0
    await files.archive.delete(names[0])
    await copy_files(vault, files, NOW, lambda _: None)
    grow_old(tmp_path / "repository", GONE + names[0], timedelta(days=1))
    other = Files(DirectoryArchive(tmp_path / "other"), True)
    assert await bring_files(vault, other, NOW, lambda _: None) == 1
    assert await other.archive.get(names[1]) == large
    assert await bring_files(vault, other, NOW - timedelta(days=2), lambda _: None) == 1
    assert await other.archive.get(names[0]) == b""
    await expire(vault, [], NOW)
    assert await check_files(vault, lambda _: None) == 2
    await expire(vault, [], NOW + KEPT_FOR)
    assert await check_files(vault, lambda _: None) == 1
    assert await vault.archive.names(GONE) == []


async def test_a_file_that_comes_back_is_not_gone_and_half_a_copy_is_none(vault: Vault, files: Files) -> None:
    name = f"ab/{PREFIX}/11"
    await files.archive.put(name, b"x" * (33 * MIB))
    await copy_files(vault, files, NOW, lambda _: None)
    await vault.archive.delete(f"files/{name}-0of2.age")
    assert await check_files(vault, lambda _: None) == 0
    assert await copy_files(vault, files, NOW, lambda _: None) == 1
    sealed = await vault.archive.get(f"files/{name}-1of2.age")
    await vault.archive.put(f"files/{name}-1of2.age", sealed[:-1])
    with pytest.raises(SealError):
        await check_files(vault, lambda _: None)
    await vault.archive.put(f"files/{name}-1of2.age", sealed)
    await files.archive.delete(name)
    await copy_files(vault, files, NOW, lambda _: None)
    assert [one.name for one in await vault.archive.names(GONE)] == [GONE + name]
    await files.archive.put(name, b"x" * (33 * MIB))
    await copy_files(vault, files, NOW, lambda _: None)
    assert await vault.archive.names(GONE) == []


async def test_a_file_that_was_sealed_anew_is_copied_anew(
    vault: Vault, files: Files, keys: KeyRing, tmp_path: Path
) -> None:
    """It keeps its name, and the key that its first copy needs is destroyed one day."""
    store, person = FilesystemBlobs(tmp_path / "blobs", keys), uuid4()
    blob_id = (await store.put(person, b"%PDF-1.7 a")).blob_id
    await copy_files(vault, files, NOW, lambda _: None)
    await store.put(person, b"%PDF-1.7 a", blob_id)
    assert await copy_files(vault, files, NOW, lambda _: None) == 1
    (anew,) = (tmp_path / "blobs").glob(f"*/*/{blob_id.hex}")
    os.utime(anew, (1, 1))
    assert await copy_files(vault, files, NOW, lambda _: None) == 0
    other = Files(DirectoryArchive(tmp_path / "other"), True)
    await bring_files(vault, other, None, lambda _: None)
    (brought,) = (tmp_path / "other").glob(f"*/*/{blob_id.hex}")
    assert brought.read_bytes() == anew.read_bytes()


async def test_the_status_tells_what_is_late(vault: Vault) -> None:
    await put_base(vault, base_at(NOW - timedelta(hours=1), 3))
    await put_log(vault, *names(3, 4))

    async def faults(safe: datetime | None, now: datetime, fault: str = "") -> list[str]:
        await vault.note(
            f"{STATUS}n0.json", NodeStatus(node="n0", safe_until=safe, looked_at=now, fault=fault)
        )
        (one,) = await report(vault, now)
        return one.faults

    assert await faults(NOW, NOW) == []
    assert "is in no backup" in (await faults(NOW - timedelta(minutes=11), NOW))[0]
    assert "so far is in no backup" in (await faults(None, NOW))[0]
    assert await faults(NOW, NOW, "ArchiveError") == ["The last round failed (ArchiveError)."]
    later = NOW + timedelta(days=37)
    assert [text.split()[0] for text in await faults(later, later)] == ["There", "A"]


async def test_what_somebody_wrote_into_the_repository_removes_nothing_beside_it(
    vault: Vault, tmp_path: Path
) -> None:
    """Manifests are in the clear: whoever may write there must not choose what the service's host lets go."""
    key = tmp_path / "keys" / "field.0001.key"
    key.parent.mkdir()
    key.write_text("here")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    await put_base(vault, base_at(NOW, 20))
    for name in (str(key), "../keys/field.0001.key", "n0/base/../../../keys/field.0001.key"):
        forged = replace(base_at(at, 1), parts=[Part(name, "00" * 32, 4)])
        await vault.note(f"n0/base/{forged.label}/{MANIFEST}", forged)
        with pytest.raises(ArchiveError):
            await expire(vault, ["n0"], NOW)
        with pytest.raises(ArchiveError):
            await vault.archive.delete(name)
        with pytest.raises(ArchiveError):
            await vault.archive.get(name)
    assert key.read_text() == "here"


async def test_the_name_of_a_restore_point_is_one_that_we_make(vault: Vault, tmp_path: Path) -> None:
    """It goes into the configuration of the server that is restored."""
    for node in ("n0", "n1"):
        await vault.note(f"{STATUS}{node}.json", NodeStatus(node=node, safe_until=NOW, looked_at=NOW))
    wish = Wish(identity=tmp_path / "identity")
    await vault.note(f"{POINTS}{label_of(NOW)}.json", Point(name=f"healthbook-{label_of(NOW)}", at=NOW))
    assert (await goal_of(vault, wish)).point == f"healthbook-{label_of(NOW)}"
    forged = "x'\nrestore_command = 'false"
    await vault.note(f"{POINTS}{label_of(NOW)}.json", Point(name=forged, at=NOW))
    with pytest.raises(ArchiveError):
        await goal_of(vault, wish)


async def test_a_server_that_left_or_came_later_holds_no_other_to_a_point_they_share(
    vault: Vault, tmp_path: Path
) -> None:
    day, wish = timedelta(days=1), Wish(identity=tmp_path / "identity")
    for node, begun, left_at in (("n0", 9, None), ("n1", 5, NOW - 2 * day)):
        await put_base(vault, replace(base_at(NOW - begun * day, 3), node=node))
        status = NodeStatus(node=node, safe_until=NOW, looked_at=NOW, left_at=left_at)
        await vault.note(f"{STATUS}{node}.json", status)
    shared = NOW - 3 * day
    await vault.note(
        f"{POINTS}{label_of(shared)}.json", Point(name=f"healthbook-{label_of(shared)}", at=shared)
    )
    assert await goal_of(vault, wish) == Goal()
    for days in (1, 7):
        to = NOW - days * day
        assert await goal_of(vault, replace(wish, to=to)) == Goal(to=to)
    together = await goal_of(vault, replace(wish, to=NOW - 2.5 * day))
    assert (together.to, together.point) == (shared, f"healthbook-{label_of(shared)}")
    with pytest.raises(NoBackupError, match="restore point"):
        await goal_of(vault, replace(wish, to=NOW - 4 * day))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
async def test_a_copy_that_somebody_forged_lays_no_link_and_no_device(
    vault: Vault, tmp_path: Path, kind: bytes
) -> None:
    """Whoever knows the recipient seals what they like: a link would lead the server to files of the host."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("PG_VERSION"))
        odd = tarfile.TarInfo("pg_hba.conf")
        odd.type, odd.linkname = kind, "PG_VERSION"
        tar.addfile(odd)
    base = base_at(NOW, 2)
    part = await vault.keep(f"n0/base/{base.label}/00000", packed.getvalue())
    with pytest.raises(ArchiveError, match="plain file"):
        await unpack(vault, Trip(replace(base, parts=[part]), [], {}, {}), tmp_path / "into", lambda _: None)
    assert not (tmp_path / "into" / "pg_hba.conf").is_symlink()
    assert not (tmp_path / "into" / "pg_hba.conf").exists()


async def test_the_log_on_its_way_is_nobody_elses_to_look_into(vault: Vault, tmp_path: Path) -> None:
    """It lies there in the clear."""
    spool = tmp_path / "data" / "backup-spool"
    spool.mkdir(parents=True, mode=0o755)
    make_spool(spool / "n0")
    assert [path.stat().st_mode & 0o777 for path in (spool, spool / "n0")] == [0o700, 0o700]
