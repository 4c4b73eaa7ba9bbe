"""The end of an installation goes on where it was cut off, and never with what was begun otherwise."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from audit.service import record_act
from healthbook.handover.checking import check
from healthbook.handover.ending import (
    Remains,
    certify,
    delete_backups,
    destroy_keys,
    erase_spool,
    is_certified,
    remains,
)
from healthbook.handover.layout import (
    SIGNED,
    HandOverError,
    listed,
    listed_apart,
    noted,
    read_signed,
    refuse_missing,
)
from healthbook.handover.making import close_installation, hand_over
from healthbook.handover.reach import refuse_unreachable
from healthbook.handover.rows import clear_row
from healthbook.settings import Settings, read_settings
from healthbook.wiring import StartError, load_keys, opened_blobs
from kernel.ids import uuid7
from store.blobs import FilesystemBlobs, person_prefix
from store.blobs_s3 import S3Blobs
from store.database import Store
from store.fields import seal
from store.installation import close, closing, mark_installation, open_again
from store.key_life import destroy
from store.keys import KeyRing
from store.postgres import Server
from store.sealing import make_identity, read_identities, unseal
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.object_store import ACCESS_KEY, SECRET_KEY, object_store
from tests.support.people import make_citizen, make_doctor, make_facility

RECEIPT = "12" * 16


def test_an_end_that_was_cut_off_among_its_keys_goes_on_to_its_certificate(tmp_path: Path) -> None:
    settings, to = read_settings({"HEALTHBOOK_DATA": str(tmp_path / "data")}), tmp_path / "hand-over"
    other = tmp_path / "other"
    for directory in (to, other):
        directory.mkdir()
        (directory / SIGNED).write_text(directory.name)
    keys = KeyRing.create(settings.keys, demo=False)
    (settings.data / "postgres").mkdir()
    assert not is_certified(settings, to, RECEIPT)
    certify(settings, keys, to, RECEIPT, {"tables": 3}, "Trần Một + Lê Hai")
    # The machine went down after the first key.
    destroy(settings.keys / "field.0001.key")
    with pytest.raises(StartError, match="no key for field"):
        load_keys(settings)
    assert is_certified(settings, to, RECEIPT)
    with pytest.raises(StartError, match="another hand-over"):
        is_certified(settings, other, RECEIPT)
    certificate = destroy_keys(settings, to)
    assert [path.name for path in settings.data.iterdir()] == [certificate.name]
    assert (settings.data / certificate.name).read_bytes() == certificate.read_bytes() != b""


async def test_the_receipt_is_told_by_whoever_opened_every_file_and_by_nothing_that_stays_here(
    owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    to, signed = tmp_path / "hand-over", ("Trần Một + Lê Hai", "chuyển cho Sở Y tế")
    receiver = make_identity(tmp_path / "receiver")
    async with owner.transaction() as tx:
        await mark_installation(tx, False, clock.now())
        await close(tx, clock.now())
    await hand_over(owner, to, [receiver], lambda _: None, signed)
    receipt = check(to, tmp_path / "receiver", lambda _: None).receipt
    async with owner.transaction() as tx:
        state = await closing(tx)
    assert state is not None
    assert state.handed_over == noted(to, receipt)
    assert noted(to, "0" * len(receipt)) != state.handed_over
    # Neither it nor what it is made of, nor what a file holds, can be told from what lies in clear.
    identities = read_identities(tmp_path / "receiver")
    opened = [unseal((to / one.name).read_bytes(), identities) for one in listed(to, read_signed(to)[0])]
    clear = b"".join(path.read_bytes() for path in to.rglob("*") if path.is_file() and path.suffix != ".age")
    for word in (receipt.encode(), *(hashlib.sha256(one).hexdigest().encode() for one in opened), *opened):
        assert word not in clear
    for one in listed(to, read_signed(to)[0]):
        (to / one.name).rename(to / "away")
        with pytest.raises(HandOverError, match="is missing"):
            check(to, tmp_path / "receiver", lambda _: None)
        (to / "away").rename(to / one.name)


async def test_lists_are_read_one_at_a_time(owner: Store, clock: FrozenClock, tmp_path: Path) -> None:
    """A country's are gigabytes."""
    await make_citizen(owner, clock)
    async with owner.transaction() as tx:
        await mark_installation(tx, False, clock.now())
        await open_again(tx)
        await close(tx, clock.now())
    receiver = make_identity(tmp_path / "receiver")
    said = await hand_over(owner, tmp_path, [receiver], lambda _: None, ("Trần Một + Lê Hai", "thử"))
    lists = iter(listed_apart(tmp_path, said))
    next(lists)
    (tmp_path / "lists" / max(said.lists)).unlink()
    with pytest.raises(HandOverError, match=f"{max(said.lists)} is missing"):
        list(lists)


async def test_what_was_begun_for_another_receiver_or_before_it_was_open_again_is_not_gone_on_with(
    owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    to, signed = tmp_path / "hand-over", ("Trần Một + Lê Hai", "chuyển cho Sở Y tế")
    receiver, other = (make_identity(tmp_path / name) for name in ("receiver", "other"))
    async with owner.transaction() as tx:
        await mark_installation(tx, False, clock.now())
        await close(tx, clock.now())
    # A run that is stopped on its way.
    (to / "public.zip.age").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        await hand_over(owner, to, [receiver], lambda _: None, signed)
    (to / "public.zip.age").rmdir()
    with pytest.raises(StartError, match="new directory"):
        await hand_over(owner, to, [other], lambda _: None, signed)
    async with owner.transaction() as tx:
        await open_again(tx)
        clock.advance(days=7)
        await close(tx, clock.now())
    with pytest.raises(StartError, match="new directory"):
        await hand_over(owner, to, [receiver], lambda _: None, signed)
    await hand_over(owner, tmp_path / "new", [receiver], lambda _: None, signed)


async def test_every_row_is_handed_over_once_whoever_it_is_of(
    owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    """Rows of staff, of erased people and of subjects whom nobody knows are under ids of no citizen; a
    relative's rows have two people."""
    to, signed = tmp_path / "hand-over", ("Trần Một + Lê Hai", "chuyển cho Sở Y tế")
    receiver = make_identity(tmp_path / "receiver")
    parent, erased = await make_citizen(owner, clock), uuid7(clock.now())
    child = await make_child(owner, clock, parent)
    doctor = await make_doctor(owner, clock, await make_facility(owner, clock))
    # Files of other tests lie there, too.
    files = [one async for one in owner.blobs.every()]
    await owner.blobs.put(erased, b"%PDF-1.7 a")
    await owner.blobs.put(uuid4(), b"%PDF-1.7 b")
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO programme_enrolment VALUES ($1, $1, NULL, 'p', 'active', NULL, 1, $2, $2, $1, $3)",
            erased,
            clock.now(),
            seal(owner.keys, erased, "programme_enrolment", "sealed", "{}"),
        )
        await record_act(tx, erased, parent.actor, "Patient:read", request_id="r", now=clock.now())
        await mark_installation(tx, False, clock.now())
        await open_again(tx)
        await close(tx, clock.now())
    said = await hand_over(owner, to, [receiver], lambda _: None, signed)
    check(to, tmp_path / "receiver", lambda _: None)
    handed = {table: count for table, count in said.held.items() if count and table not in said.left_out}
    assert handed == said.rows
    assert min(handed[table] for table in ("birth_link", "session", "access_log", "programme_enrolment")) > 0
    assert {"citizen_pin.pin_hash", "account_credential.totp_secret", "outbox"} <= set(said.left_out)
    for place, ids in {
        "people": (parent.patient_id, child),
        "others": (erased, doctor.practitioner_id),
    }.items():
        assert all((to / place / one.hex[-2:] / str(one) / "rows.zip.age").exists() for one in ids)
    assert (said.blobs, said.lost_blobs) == (1, len(files) + 1)
    with pytest.raises(HandOverError, match=f"birth_link held {handed['birth_link'] + 1} rows"):
        refuse_missing(said.held | {"birth_link": handed["birth_link"] + 1}, said.rows, said.left_out)


async def test_a_file_that_does_not_open_is_named_and_stops_no_second_try(
    owner: Store, clock: FrozenClock, blobs: FilesystemBlobs, tmp_path: Path
) -> None:
    to, signed = tmp_path / "hand-over", ("Trần Một + Lê Hai", "chuyển cho Sở Y tế")
    receiver = make_identity(tmp_path / "receiver")
    person = (await make_citizen(owner, clock)).patient_id
    kept = await blobs.put(person, b"%PDF-1.7 a")
    async with owner.transaction() as tx:
        await mark_installation(tx, False, clock.now())
        await open_again(tx)
        await close(tx, clock.now())
    (damaged,) = blobs._root.glob(f"??/*/{kept.blob_id.hex}")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(StartError, match=f"{person_prefix(person)}/{kept.blob_id.hex} does not open"):
        await hand_over(owner, to, [receiver], lambda _: None, signed)
    damaged.unlink()
    await hand_over(owner, to, [receiver], lambda _: None, signed)
    check(to, tmp_path / "receiver", lambda _: None)


def test_what_the_receiver_refuses_by_is_handed_over_and_what_opens_a_door_is_not(keys: KeyRing) -> None:
    revoked = {"kid": "k", "kind": "uci", "hash": b"\x01\x02"}
    assert clear_row(keys, "certificate_revocation", revoked) == revoked | {"hash": "0102"}
    assert clear_row(keys, "session", {"access_hash": b"\x01"}) == {}


async def test_what_is_left_of_backups_and_of_the_log_is_no_proof_that_nothing_can_be_read(
    tmp_path: Path,
) -> None:
    """Whoever holds an identity opens a backup, and a spool's segments hold rows in the clear."""
    repository, spool = tmp_path / "repository", tmp_path / "disk" / "backup-spool" / "n0"
    settings = read_settings(
        {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_BACKUP": str(repository), "PORT": "1"}
    )
    assert not any(one.opens for one in await remains(settings, [tmp_path / "disk"]))
    for path in (repository / "n0" / "wal" / "x.age", spool / f"{5:024X}", spool / f"{6:024X}.partial"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    left = {one.what: one.opens for one in await remains(settings, [tmp_path / "disk"]) if one.opens}
    assert left == {"backups": 1, "log of PostgreSQL": 2}


async def test_what_lies_in_a_bucket_is_looked_for_and_destroyed(
    keys: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with object_store() as running:
        named = {"HEALTHBOOK_DATA": str(tmp_path), "S3_ENDPOINT": running.endpoint, "S3_BUCKET": "files"}
        settings = read_settings({**named, "PORT": "1"})
        async with opened_blobs(settings, keys) as bucket:
            assert isinstance(bucket, S3Blobs)
            await bucket._client.create_bucket(Bucket="files")
            # Of a citizen, of staff, of nobody: the store does not tell.
            for _ in range(3):
                await bucket.put(uuid4(), b"%PDF-1.7 a")
            assert Remains("encrypted files", "files", 3, 0) in await remains(settings, [])
            (tmp_path / "keys").mkdir()
            (tmp_path / "keys" / "field.0001.key").write_text("00")
            assert Remains("encrypted files", "files", 3, 3) in await remains(settings, [])
            assert await bucket.erase_every() == 3
        assert Remains("encrypted files", "files", 0, 0) in await remains(settings, [])


async def test_what_a_backup_that_was_killed_left_half_named_is_destroyed_too(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    settings = read_settings(
        {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_BACKUP": str(repository)}
    )
    for name in ("x.age", "x.age.12ab34cd.part"):
        (repository / "n0" / "wal").mkdir(parents=True, exist_ok=True)
        (repository / "n0" / "wal" / name).write_bytes(b"x")
    assert await delete_backups(settings) == 1
    assert [path for path in repository.rglob("*") if path.is_file()] == []


async def test_nothing_ends_while_backups_are_made_of_it(
    server: Server, database: str, owner: Store, clock: FrozenClock
) -> None:
    """A stream that goes on fills the repository again that was emptied."""
    async with owner.transaction() as tx:
        await mark_installation(tx, False, clock.now())
    stream = await asyncpg.connect(server.dsn("hb_backup", database))
    try:
        with pytest.raises(StartError, match="stop every process"):
            await close_installation(owner, ("Trần Một + Lê Hai", "chuyển cho Sở Y tế"))
    finally:
        await stream.close()


async def test_nothing_ends_while_a_service_runs_that_signed_in_under_any_name(
    server: Server, database: str, owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    """With one DATABASE_URL every process signs in as the same account, and takes its role by a parameter."""
    signed = ("Trần Một + Lê Hai", "chuyển cho Sở Y tế")
    receiver = make_identity(tmp_path / "receiver")
    async with owner.transaction() as tx:
        await mark_installation(tx, False, clock.now())
        await open_again(tx)
    service = await asyncpg.connect(
        server.dsn("hb_owner", database),
        server_settings={"application_name": "healthbook", "role": "hb_owner"},
    )
    try:
        with pytest.raises(StartError, match="1 connections"):
            await close_installation(owner, signed)
        async with owner.transaction() as tx:
            await close(tx, clock.now())
        # It looked just before `close` did: nobody reads while it writes.
        with pytest.raises(StartError, match="1 connections"):
            await hand_over(owner, tmp_path / "to", [receiver], lambda _: None, signed)
    finally:
        await service.close()
    await close_installation(owner, signed)


@contextmanager
def somebody_else() -> Iterator[Path]:
    """A directory of an account that is not root's, to whom modes say something; we are that account."""
    with tempfile.TemporaryDirectory() as made:
        place, user = Path(made).resolve(), 65534 if os.geteuid() == 0 else os.geteuid()
        os.chown(place, user, -1)
        was = os.geteuid()
        os.seteuid(user)
        try:
            yield place
        finally:
            os.seteuid(was)


def test_nothing_is_destroyed_where_something_could_not_be() -> None:
    """Keys that are mounted for reading alone would outlive the tables that they open copies of."""
    with somebody_else() as place:
        names = ("data", "keys", "signer", "spool", "backup", "hand-over")
        data, keys, signer, spool, backup, to = (place / name for name in names)
        settings = read_settings(
            {
                "HEALTHBOOK_DATA": str(data),
                "HEALTHBOOK_KEYS": str(keys),
                "HEALTHBOOK_SIGNER_KEYS": str(signer),
                "HEALTHBOOK_BACKUP": str(backup),
                "HEALTHBOOK_BACKUP_SPOOL": str(spool),
            }
        )
        for directory in (data, keys, signer / "csca", spool / "n0", backup / "n0", to):
            directory.mkdir(parents=True)
        key = keys / "field.0001.key"
        key.write_text("00")
        refuse_unreachable(settings, to)
        for path, mode in ((key, 0o400), *((one, 0o500) for one in (data, keys, signer / "csca"))):
            refuses(settings, to, path, mode)
        for path in (spool / "n0", backup / "n0", to):
            refuses(settings, to, path, 0o500)


def refuses(settings: Settings, to: Path, path: Path, mode: int) -> None:
    was = path.stat().st_mode
    path.chmod(mode)
    with pytest.raises(StartError, match=f"{path} cannot be written.*runbook"):
        refuse_unreachable(settings, to)
    path.chmod(was)
    refuse_unreachable(settings, to)


async def test_the_log_that_waits_for_its_backup_is_destroyed_and_looked_for_wherever_it_lies(
    tmp_path: Path,
) -> None:
    spool = tmp_path / "spool"
    settings = read_settings(
        {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_BACKUP_SPOOL": str(spool), "PORT": "1"}
    )
    (spool / "backup-spool" / "n0").mkdir(parents=True)
    (spool / "backup-spool" / "n0" / f"{5:024X}").write_bytes(b"x")
    left = {one.what: one.opens for one in await remains(settings, []) if one.opens}
    assert left == {"log of PostgreSQL": 1}
    assert erase_spool(settings) == 1
    assert list(spool.iterdir()) == [], "a volume's own directory stays"
    assert not any(one.opens for one in await remains(settings, []))
