"""The end of an installation goes on where it was cut off, and never with what was begun otherwise."""

from pathlib import Path

import asyncpg
import pytest

from healthbook.handover.ending import certify, destroy_keys, is_certified, remains
from healthbook.handover.making import close_installation, hand_over
from healthbook.handover.rows import clear_row
from healthbook.settings import read_settings
from healthbook.wiring import StartError, load_keys
from store.database import Store
from store.installation import close, mark_installation, open_again
from store.key_life import destroy
from store.keys import KeyRing
from store.postgres import Server
from store.sealing import make_identity
from tests.support.clock import FrozenClock

DIGEST = "ab" * 32


def test_an_end_that_was_cut_off_among_its_keys_goes_on_to_its_certificate(tmp_path: Path) -> None:
    settings, to = read_settings({"HEALTHBOOK_DATA": str(tmp_path / "data")}), tmp_path / "hand-over"
    to.mkdir()
    keys = KeyRing.create(settings.keys, demo=False)
    (settings.data / "postgres").mkdir()
    assert not is_certified(settings, DIGEST)
    certify(settings, keys, DIGEST, {"tables": 3}, "Trần Một + Lê Hai")
    # The machine went down after the first key.
    destroy(settings.keys / "field.0001.key")
    with pytest.raises(StartError, match="no key for field"):
        load_keys(settings)
    assert is_certified(settings, DIGEST)
    with pytest.raises(StartError, match="another hand-over"):
        is_certified(settings, "cd" * 32)
    certificate = destroy_keys(settings, to)
    assert [path.name for path in settings.data.iterdir()] == [certificate.name]
    assert (settings.data / certificate.name).read_bytes() == certificate.read_bytes() != b""


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
