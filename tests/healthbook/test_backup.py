"""An installation copies itself, proves its copies and comes back from them (security.md S12, S15)."""

import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from healthbook.backups.service import refuse_backup
from healthbook.settings import SettingsError, read_settings
from healthbook.wiring import StartError
from store.sealing import SealError, make_identity, read_identities, read_recipients, seal, unseal
from tests.healthbook.conftest import environment
from tests.support.backups import SIGNED, Backups

BLOB = Path("ab") / "abcd" / "ef"


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    """A real installation with keys and journal apart from its data, a file, and a repository."""
    apart = {"HEALTHBOOK_KEYS": str(tmp_path / "keys"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    made = Backups(tmp_path / "backups", environment(tmp_path / "data", **apart))
    made.command("admin", "make-keys", str(tmp_path / "keys"))
    made.command("migrate")
    made.command("admin", "calendar-day", "2026-12-31", *SIGNED)
    blob = tmp_path / "data" / "blobs" / BLOB
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"sealed document")
    blob.with_suffix(".part").write_bytes(b"half")
    return made


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


def test_s15_a_backup_holds_no_key_and_comes_back_in_a_new_epoch(backups: Backups, tmp_path: Path) -> None:
    assert "--operator" in backups.command("backup", "make", code=2)
    backups.command("backup", "make", *SIGNED)
    clear = b"".join(clear_of(backups))
    assert b"citizen_pkey" in clear
    assert b"sealed document" in clear
    assert b"half" not in clear
    assert not [one for one in secrets_of(tmp_path) if one in clear]
    repository = backups.root / "repository"
    assert not [path for path in repository.rglob("*") if path.stat().st_mode & 0o077]
    sealed = b"".join(path.read_bytes() for path in repository.rglob("*") if path.is_file())
    assert b"sealed document" not in sealed
    assert b"citizen_pkey" not in sealed
    assert "is there" in backups.restore(code=2)
    elsewhere = {"HEALTHBOOK_DATA": str(tmp_path / "new")}
    assert "Epoch 1" in backups.restore(**elsewhere)
    assert (tmp_path / "new" / "blobs" / BLOB).read_bytes() == b"sealed document"
    # The log of the new branch goes on in the same repository, behind a whole copy of its own.
    backups.command("backup", "make", *SIGNED, **elsewhere)
    assert "2 whole copies" in backups.command("backup", "status", **elsewhere)
    told = backups.command("verify-backup", "--identity", str(backups.identity), "--start", **elsewhere)
    assert re.search(r"[1-9][0-9]* rows of [1-9][0-9]+ tables", told), told


def test_a_copy_that_was_changed_or_lost_a_part_is_none(backups: Backups, tmp_path: Path) -> None:
    backups.command("backup", "make", *SIGNED)
    repository, proof = backups.root / "repository", ("verify-backup", "--identity", str(backups.identity))
    assert "every file is as the server listed it" in backups.command(*proof)
    other = tmp_path / "other"
    recipient = make_identity(other)
    assert "not sealed to this identity" in backups.command("verify-backup", "--identity", str(other), code=2)
    # Whoever may write there can seal to the same recipient; another part is another hash than the list has.
    part = next(repository.glob("n0/base/*/*.age"))
    kept = part.read_bytes()
    part.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert "is not what was put there" in backups.command(*proof, code=2)
    part.write_bytes(kept)
    segment = min(repository.glob("n0/wal/*.age"))
    there = segment.read_bytes()
    segment.write_bytes(seal(b"", read_recipients([recipient])))
    assert "not sealed to this identity" in backups.command(*proof, code=2)
    segment.unlink()
    assert "missing" in backups.command(*proof, code=2)
    assert "missing" in backups.command("backup", "status", code=1)
    segment.write_bytes(there)
    backups.command("backup", "status")
    blob = next(repository.glob("files/**/*.age"))
    blob.write_bytes(blob.read_bytes()[:-1])
    assert "not sealed to this identity, or it was changed" in backups.command(*proof, code=2)


def test_a_time_that_no_copy_leads_to_is_said(backups: Backups, tmp_path: Path) -> None:
    before = datetime.now(UTC).isoformat()
    backups.command("backup", "make", *SIGNED)
    new = {"HEALTHBOOK_DATA": str(tmp_path / "new")}
    assert "oldest whole copy" in backups.restore("--to", before, code=2, **new)
    assert "The repository leads until" in backups.restore("--to", "2100-01-01T00:00:00Z", code=2, **new)
    assert "of which zone" in backups.restore("--to", "2026-11-23T08:15:00", code=2, **new)
    assert "There is no whole copy" in backups.restore("--node", "n7", code=2, **new)
    # What broke off left nothing that the next try stumbles over.
    assert "Epoch 1" in backups.restore(**new)


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
