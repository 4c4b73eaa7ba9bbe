"""A small installation copies itself and comes back from the copy (security.md S12, S15)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from healthbook.backup import refuse_backup, refuse_restore
from healthbook.settings import read_settings
from healthbook.wiring import StartError
from store.postgres_binaries import find_binaries
from tests.healthbook.conftest import environment

SIGNED = ("--operator", "Nguyễn Vận Hành", "--reason", "sao lưu hằng ngày")


def run(place: dict[str, str], *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "healthbook", *arguments],
        env=place,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """A real installation with its keys and journal apart from its data, and a file in the blob store."""
    apart = {"HEALTHBOOK_KEYS": str(tmp_path / "keys"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    made = environment(tmp_path / "data", **apart)
    run(made, "admin", "make-keys", str(tmp_path / "keys"))
    run(made, "migrate")
    run(made, "admin", "calendar-day", "2026-12-31", *SIGNED)
    blob = tmp_path / "data" / "blobs" / "ab" / "cd"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"sealed")
    blob.with_suffix(".part").write_bytes(b"half")
    return made


def test_s15_a_backup_holds_no_key_and_comes_back_in_a_new_epoch(
    place: dict[str, str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    assert "--operator" in run(place, "backup", str(copy), code=2)
    assert not copy.exists()
    run(place, "backup", str(copy), *SIGNED)
    assert {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()} == {
        "database.dump",
        "blobs/ab/cd",
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in [copy, copy / "database.dump"])
    told = [str(find_binaries().directory / "pg_restore"), "--file=-", str(copy / "database.dump")]
    held = subprocess.run(told, capture_output=True, check=True).stdout
    assert b"CREATE TABLE public.citizen" in held
    files = [path.read_text() for path in (tmp_path / "keys").glob("*.key")]
    passwords = (tmp_path / "data" / "postgres" / "passwords.json").read_text()
    lines = [line for text in [*files, passwords] for line in text.splitlines()]
    secrets = re.findall(r"[A-Za-z0-9+/_-]{32,}", "\n".join(lines))
    assert len(secrets) > len(files) > 5
    raw = [bytes.fromhex(one) for one in secrets if re.fullmatch("[0-9a-f]+", one) and len(one) % 2 == 0]
    assert not [one for one in secrets if one.encode() in held]
    assert not [one for one in raw if one in held or one.hex().encode() in held]
    assert "is there" in run(place, "restore", str(copy), *SIGNED, code=2)
    elsewhere = place | {"HEALTHBOOK_DATA": str(tmp_path / "new")}
    assert "Epoch 1" in run(elsewhere, "restore", str(copy), *SIGNED)
    assert (tmp_path / "new" / "blobs" / "ab" / "cd").read_bytes() == b"sealed"
    # What was written before stands again; the operators' chain goes on behind it.
    run(elsewhere, "backup", str(tmp_path / "again"), *SIGNED)
    run(elsewhere, "migrate")


def test_s15_a_backup_is_refused_where_it_would_hold_a_key(tmp_path: Path) -> None:
    data = {"HEALTHBOOK_DATA": str(tmp_path / "data")}
    apart = data | {"HEALTHBOOK_KEYS": str(tmp_path / "keys"), "HEALTHBOOK_JOURNAL": str(tmp_path / "j")}
    target = tmp_path / "copy"
    refuse_backup(read_settings(apart), target)
    for name in ("HEALTHBOOK_KEYS", "HEALTHBOOK_JOURNAL"):
        for inside in ("data/blobs", "data/blobs/x", "data"):
            with pytest.raises(StartError):
                refuse_backup(read_settings(apart | {name: str(tmp_path / inside)}), target)
    for wrong in ("data/copy", "keys/copy", "j/copy"):
        with pytest.raises(StartError):
            refuse_backup(read_settings(apart), tmp_path / wrong)
    target.mkdir()
    with pytest.raises(StartError):
        refuse_backup(read_settings(apart), target)
    with pytest.raises(StartError):
        refuse_restore(read_settings(apart), target)
