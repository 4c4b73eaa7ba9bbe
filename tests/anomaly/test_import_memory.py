"""A file far bigger than memory should need: the import reads it visit by visit.

12 MB here; 100 MB with HEALTHBOOK_COUNTS=full.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthbook.demo_facilities import HOSPITAL
from tests.support import packages
from tests.support.service import COMMAND, environment, run_command

MEBIBYTE = 1024 * 1024
SIZE = (100 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 12) * MEBIBYTE
MEMORY_MAX = 300 * MEBIBYTE
GOOD = 40
# The biggest of the command and of everything it started and waited for, in KiB on Linux.
MEASURED = (
    "import resource, subprocess, sys\n"
    "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
    "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("memory") / "data"
    run_command(data, "demo")
    return data


def visit(**changes: str) -> bytes:
    change = {table: changes | {"MA_CSKCB": HOSPITAL.code} for table in ("XML1",)}
    tables = packages.tables_of("4750", ["XML1", "XML2", "XML3", "XML4", "XML5", "XML7"], change)
    whole = packages.package(tables)
    return whole[whole.index(b"<HOSO>") : whole.index(b"</HOSO>") + len(b"</HOSO>")]


def write(path: Path, parts: Iterator[bytes]) -> Path:
    head, tail = packages.envelope("|", HOSPITAL.code).split(b"|")
    with path.open("wb") as file:
        file.write(head)
        for part in parts:
            file.write(part)
        file.write(tail)
    return path


def import_measured(place: Path, path: Path) -> tuple[int, int]:
    """Exit code and peak memory in bytes."""
    command = [*COMMAND, "import", str(path), "--facility", HOSPITAL.code]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        env=environment(place),
        capture_output=True,
        timeout=900,
        check=True,
    )
    code, kibibytes = done.stdout.split()
    return int(code), int(kibibytes) * 1024


def test_a_file_of_many_visits_needs_little_memory(place: Path, tmp_path: Path) -> None:
    good, bad = visit(), visit(NGAY_VAO="08042026")

    def parts() -> Iterator[bytes]:
        yield from [good] * GOOD
        yield from [bad] * ((SIZE - GOOD * len(good)) // len(bad))

    path = write(tmp_path / "many.xml", parts())
    assert path.stat().st_size > SIZE * 0.9
    code, peak = import_measured(place, path)
    assert code == 0
    assert peak < MEMORY_MAX


@pytest.mark.parametrize("part", [b"<A>1</A>", b"x", b"<!-- x -->", b"<HOSO>"])
def test_a_file_that_is_one_huge_visit_is_refused_in_little_memory(
    place: Path, tmp_path: Path, part: bytes
) -> None:
    block = part * (64 * 1024 // len(part))
    path = write(tmp_path / "one.xml", iter([b"<HOSO>", *[block] * (SIZE // len(block)), b"</HOSO>"]))
    code, peak = import_measured(place, path)
    assert code == 1
    assert peak < MEMORY_MAX
