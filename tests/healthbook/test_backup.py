"""An installation copies itself, proves its copies and comes back from them (security.md S12, S15)."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from healthbook.backups.proof import prove
from healthbook.backups.restoring import Wish
from healthbook.backups.service import refuse_backup
from healthbook.backups.status import backup_faults
from healthbook.settings import SettingsError, read_settings
from healthbook.wiring import StartError
from store.journal import Mark
from store.journal_files import DirectoryJournal
from store.sealing import SealError, make_identity, read_identities, read_recipients, seal, unseal
from tests.healthbook.conftest import environment
from tests.support.backups import BRING_BACK, SIGNED, Backups

BLOB = Path("ab") / "abcd" / "ef"


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A real installation with keys and journal apart from its data, a file, and one copy of it all."""
    with tempfile.TemporaryDirectory(prefix="hbb-") as name:
        root = Path(name)
        apart = {"HEALTHBOOK_KEYS": str(root / "keys"), "HEALTHBOOK_JOURNAL": str(root / "journal")}
        made = Backups(root / "backups", environment(root / "data", **apart))
        made.command("admin", "make-keys", str(root / "keys"))
        made.command("migrate")
        made.command("admin", "calendar-day", "2026-12-31", *SIGNED)
        blob = root / "data" / "blobs" / BLOB
        blob.parent.mkdir(parents=True)
        blob.write_bytes(b"sealed document")
        blob.with_suffix(".part").write_bytes(b"half")
        assert "--operator" in made.command("backup", "make", code=2)
        made.command("backup", "make", *SIGNED)
        yield root


@pytest.fixture
def backups(root: Path, tmp_path: Path) -> Backups:
    """The same installation with a repository of the test's own."""
    shutil.copytree(root / "backups", tmp_path / "backups")
    apart = {"HEALTHBOOK_KEYS": str(root / "keys"), "HEALTHBOOK_JOURNAL": str(root / "journal")}
    return Backups(tmp_path / "backups", environment(root / "data", **apart))


def clear_of(backups: Backups) -> Iterator[bytes]:
    """Everything of the repository as whoever has the identity sees it."""
    identities = read_identities(backups.identity)
    for path in sorted((backups.root / "repository").rglob("*")):
        if path.suffix == ".age":
            opened = unseal(path.read_bytes(), identities)
            parts = [opened]
            if "/wal/" in str(path):
                parts = [zlib.decompress(opened)]
            elif "/base/" in str(path):
                parts = [zlib.decompress(opened, wbits=31)]
            yield from parts
        elif path.is_file():
            yield path.read_bytes()


def secrets_of(root: Path) -> list[bytes]:
    """Every key as it stands in its file and as bytes, and the passwords of the embedded server."""
    texts = [path.read_text() for path in (root / "keys").glob("*.key")]
    texts.append((root / "data" / "postgres" / "passwords.json").read_text())
    found = re.findall(r"[A-Za-z0-9+/_-]{32,}", "\n".join(texts))
    assert len(found) > len(texts) > 5
    raw = [bytes.fromhex(one) for one in found if re.fullmatch("[0-9a-f]+", one) and len(one) % 2 == 0]
    return [*(one.encode() for one in found), *raw]


def test_s15_a_backup_holds_no_key_and_comes_back_in_a_new_epoch(
    backups: Backups, root: Path, tmp_path: Path
) -> None:
    clear = b"".join(clear_of(backups))
    assert b"citizen_pkey" in clear
    assert b"sealed document" in clear
    assert b"half" not in clear
    assert not [one for one in secrets_of(root) if one in clear]
    made = root / "backups" / "repository"
    assert not [path for path in (made, *made.rglob("*")) if path.stat().st_mode & 0o077]
    sealed = b"".join(path.read_bytes() for path in made.rglob("*") if path.is_file())
    assert b"sealed document" not in sealed
    assert b"citizen_pkey" not in sealed
    assert "is there" in backups.restore(code=2)
    new = {"HEALTHBOOK_DATA": str(tmp_path / "new"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    assert "Epoch 1" in backups.restore(**new)
    assert (tmp_path / "new" / "blobs" / BLOB).read_bytes() == b"sealed document"
    # The log of the new branch goes on in the same repository, behind a whole copy of its own.
    backups.command("backup", "make", *SIGNED, **new)
    assert "2 whole copies" in backups.command("backup", "status", **new)
    told = backups.command("verify-backup", "--identity", str(backups.identity), "--start", **new)
    assert re.search(r"[1-9][0-9]* rows of [1-9][0-9]+ tables", told), told
    assert "1 documents open" in told


def test_s12_a_restore_that_was_cut_off_before_its_recovery_serves_nobody(
    backups: Backups, tmp_path: Path
) -> None:
    """Its journal knows of nothing later: sessions and grants of the lost time would live."""
    apart = {"HEALTHBOOK_DATA": str(tmp_path / "new"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    backups.settings |= apart
    told = [sys.executable, "-c", BRING_BACK, str(backups.identity)]
    subprocess.run(told, env=backups.settings, check=True, timeout=300)
    assert "was restored" in backups.command("serve", code=2)
    # Nobody says that it was restored: the database does.
    assert "Epoch 1" in backups.command("admin", "recover", *SIGNED)
    assert "Nothing to recover" in backups.command("admin", "recover", *SIGNED)


def test_s12_a_standby_in_its_place_is_taken_at_an_operators_word_and_only_where_it_lost_nothing(
    backups: Backups, tmp_path: Path
) -> None:
    """To the database a standby that stands in is what a restored copy is: another timeline."""
    journal = tmp_path / "journal"
    backups.settings |= {"HEALTHBOOK_DATA": str(tmp_path / "new"), "HEALTHBOOK_JOURNAL": str(journal)}
    told = [sys.executable, "-c", BRING_BACK, str(backups.identity)]
    subprocess.run(told, env=backups.settings, check=True, timeout=300)
    promoted = ("admin", "recover", "--promoted")
    assert "--operator" in backups.command(*promoted, code=2)
    asyncio.run(DirectoryJournal(journal).set_mark(msgspec.json.encode(Mark(beat=99, seq=0))))
    assert "later acts" in backups.command(*promoted, *SIGNED, code=2)
    shutil.rmtree(journal)
    assert "goes on" in backups.command(*promoted, *SIGNED)
    assert "Nothing to recover" in backups.command("admin", "recover", *SIGNED)


def test_a_directory_for_another_server_touches_no_document_unless_asked(
    backups: Backups, tmp_path: Path
) -> None:
    """Tried beside a service that lives, it would bring back what its people let go."""
    backups.settings |= {"HEALTHBOOK_DATA": str(tmp_path / "new")}
    assert "Documents and pictures were left alone" in backups.restore("--into", str(tmp_path / "one"))
    assert not (tmp_path / "new" / "blobs").exists()
    said = backups.restore("--into", str(tmp_path / "two"), "--files")
    assert f"1 files are back in {tmp_path / 'new' / 'blobs'}" in said
    assert (tmp_path / "new" / "blobs" / BLOB).read_bytes() == b"sealed document"


def proven(backups: Backups, identity: Path | None = None, **asked: Any) -> str:
    """What verify-backup says of the repository, in this process."""
    wish = Wish(identity=identity or backups.identity, **asked)
    try:
        return f"whole: {prove(read_settings(backups.settings), wish, None, lambda _: None, start=False)}"
    except StartError as error:
        return str(error)


def faults(backups: Backups) -> list[str]:
    return asyncio.run(backup_faults(read_settings(backups.settings), datetime.now(UTC)))


def test_a_copy_that_was_changed_or_lost_a_part_is_none(backups: Backups, tmp_path: Path) -> None:
    repository = backups.root / "repository"
    recipient = make_identity(tmp_path / "other")
    assert "not sealed to this identity" in proven(backups, tmp_path / "other")
    # Whoever may write there can seal to the same recipient; another part is another hash than the list has.
    part = next(repository.glob("n0/base/*/*.age"))
    kept = part.read_bytes()
    part.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert "is not what was put there" in proven(backups)
    part.write_bytes(kept)
    segment = max(repository.glob("n0/wal/*.age"))
    there = segment.read_bytes()
    segment.write_bytes(seal(b"", read_recipients([recipient])))
    assert "not sealed to this identity" in proven(backups)
    segment.write_bytes(seal(zlib.compress(bytes(1 << 24)), read_recipients([own(backups)])))
    assert "failed" in proven(backups)
    segment.unlink()
    assert "missing" in proven(backups)
    assert "missing" in faults(backups)[0]
    segment.write_bytes(there)
    assert faults(backups) == []


def own(backups: Backups) -> str:
    return backups.settings["HEALTHBOOK_BACKUP_RECIPIENTS"]


def test_a_time_that_no_copy_leads_to_is_said(backups: Backups) -> None:
    assert "oldest whole copy" in proven(backups, to=datetime(2020, 1, 1, tzinfo=UTC))
    assert "The repository leads until" in proven(backups, to=datetime(2100, 1, 1, tzinfo=UTC))
    assert "There is no whole copy of n7" in proven(backups, node="n7")
    assert "There is no whole copy of n0 named x" in proven(backups, label="x")
    assert "of which zone" in backups.restore("--to", "2026-11-23T08:15:00", code=2)
    assert faults(backups) == []
    backups.settings |= {"HEALTHBOOK_BACKUP": str(backups.root / "empty")}
    assert faults(backups) == ["No backup was ever made: start `healthbook backup run`."]
    late = asyncio.run(backup_faults(read_settings({}), datetime.now(UTC)))
    assert late == []


def test_s15_a_backup_is_refused_where_it_would_hold_a_key(tmp_path: Path) -> None:
    repository = {"HEALTHBOOK_BACKUP": str(tmp_path / "copies")}
    data = {"HEALTHBOOK_DATA": str(tmp_path / "data")} | repository
    apart = data | {"HEALTHBOOK_KEYS": str(tmp_path / "keys"), "HEALTHBOOK_JOURNAL": str(tmp_path / "j")}
    refuse_backup(read_settings(apart))
    for name in ("HEALTHBOOK_KEYS", "HEALTHBOOK_JOURNAL", "HEALTHBOOK_SIGNER_KEYS"):
        for inside in ("data/blobs", "data/blobs/x", "data/postgres/keys", "data"):
            with pytest.raises(StartError):
                refuse_backup(read_settings(apart | {name: str(tmp_path / inside)}))
    for wrong in ("data/copies", "keys/copies"):
        with pytest.raises(StartError):
            refuse_backup(read_settings(apart | {"HEALTHBOOK_BACKUP": str(tmp_path / wrong)}))
    with pytest.raises(SettingsError):
        read_settings({"HEALTHBOOK_BACKUP": "s3://copies"})


def test_who_seals_opens_nothing(tmp_path: Path) -> None:
    first, second = [read_recipients([make_identity(tmp_path / name)]) for name in ("a", "b")]
    sealed = seal(b"words", [*first, *second])
    for name in ("a", "b"):
        assert unseal(sealed, read_identities(tmp_path / name)) == b"words"
    with pytest.raises(SealError):
        unseal(seal(b"words", first), read_identities(tmp_path / "b"))
    for wrong in ("", "age1", "AGE-SECRET-KEY-1"):
        with pytest.raises(SealError):
            read_recipients([wrong])
    with pytest.raises(SealError):
        seal(b"words", [])
    with pytest.raises(FileExistsError):
        make_identity(tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0
