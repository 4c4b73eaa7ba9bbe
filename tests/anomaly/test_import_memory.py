"""A file far bigger than memory should need: the import reads it visit by visit.

12 MB here; 100 MB with HEALTHBOOK_COUNTS=full, half of them visits of one person that are written.
"""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthbook.demo_facilities import HOSPITAL
from tests.support import packages
from tests.support.service import COMMAND, environment

MEBIBYTE = 1024 * 1024
FULL = os.environ.get("HEALTHBOOK_COUNTS") == "full"
SIZE = (100 if FULL else 12) * MEBIBYTE
MEMORY_MAX = 300 * MEBIBYTE
GOOD_SHARE = 0.5 if FULL else 0.05
LOOK_SECONDS = 0.1
SECONDS_MAX = 3000


def visit(**changes: str) -> bytes:
    names = ["XML1", "XML2", "XML3", "XML4", "XML5", "XML7"]
    number = {"MA_LK": changes.pop("MA_LK")} if "MA_LK" in changes else {}
    change = dict.fromkeys(names, number) | {"XML1": number | changes | {"MA_CSKCB": HOSPITAL.code}}
    whole = packages.package(packages.tables_of("4750", names, change))
    return whole[whole.index(b"<HOSO>") : whole.index(b"</HOSO>") + len(b"</HOSO>")]


def write(path: Path, parts: Iterator[bytes]) -> Path:
    head, tail = packages.envelope("|", HOSPITAL.code).split(b"|")
    with path.open("wb") as file:
        file.write(head)
        for part in parts:
            file.write(part)
        file.write(tail)
    return path


def peak_of(pid: int) -> int:
    """The most bytes that a process had in memory so far; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def readers_of(pid: int) -> list[int]:
    """The reader processes of a command; the database that it may start is none."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()  # a child belongs to the thread that started it
        children = [child for task in tasks for child in (task / "children").read_text("ascii").split()]
        lines = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    except OSError:
        return []
    return [child for child, line in lines.items() if b"ehr.intake.reader" in line]


def import_measured(place: Path, path: Path, report: Path) -> tuple[int, int]:
    """Exit code, and peak memory in bytes: what the command and its readers had at most, added up."""
    command = [*COMMAND, "import", str(path), "--facility", HOSPITAL.code]
    peak, seen, ends = 0, set[int](), time.monotonic() + SECONDS_MAX
    with report.open("wb") as told:
        process = subprocess.Popen(command, env=environment(place), stdout=told, stderr=subprocess.DEVNULL)
        try:
            while process.poll() is None and time.monotonic() < ends:
                readers = readers_of(process.pid)
                seen.update(readers)
                peak = max(peak, sum(peak_of(one) for one in (process.pid, *readers)))
                time.sleep(LOOK_SECONDS)
        finally:
            process.kill()
    assert seen
    return process.wait(), peak


def test_a_file_of_many_visits_needs_little_memory(place: Path, tmp_path: Path) -> None:
    bad = visit(NGAY_VAO="08042026")
    good = int(SIZE * GOOD_SHARE) // len(bad) + 1

    def parts() -> Iterator[bytes]:
        yield from (visit(MA_LK=f"SYN.{number:08d}") for number in range(good))
        yield from [bad] * ((SIZE - good * len(bad)) // len(bad))

    path, report = write(tmp_path / "many.xml", parts()), tmp_path / "report.json"
    assert path.stat().st_size > SIZE * 0.9
    code, peak = import_measured(place, path, report)
    assert code == 0
    (told,) = json.loads(report.read_bytes())["files"]
    counts = Counter(unit["status"] for unit in told["units"])
    assert counts["imported"] == good
    assert counts["rejected"] == len(told["units"]) - good > good / 2
    print(f"{good} visits written, {counts['rejected']} refused: {peak / MEBIBYTE:.0f} MiB at most")  # noqa: T201
    assert peak < MEMORY_MAX


@pytest.mark.parametrize("part", [b"<A>1</A>", b"x", b"<!-- x -->", b"<HOSO>"])
def test_a_file_that_is_one_huge_visit_is_refused_in_little_memory(
    place: Path, tmp_path: Path, part: bytes
) -> None:
    block = part * (64 * 1024 // len(part))
    path = write(tmp_path / "one.xml", iter([b"<HOSO>", *[block] * (SIZE // len(block)), b"</HOSO>"]))
    code, peak = import_measured(place, path, tmp_path / "report.json")
    assert code == 1
    assert peak < MEMORY_MAX
