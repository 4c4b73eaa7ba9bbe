"""docs/threat-model.md: each security decision has one row, and the row is no more than the tests show."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = re.findall(
    r"^\| (S\d+) [^|]*\| ([^|]+) \| ([^|]*)\| ([^|]*)\|$",
    (ROOT / "docs/threat-model.md").read_text(),
    re.M,
)
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.M)
}


def test_every_decision_has_one_row() -> None:
    assert [number for number, *_ in ROWS] == [f"S{number}" for number in range(1, 36)]


@pytest.mark.parametrize(("number", "state", "shown_by", "missing"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_tests_that_exist(number: str, state: str, shown_by: str, missing: str) -> None:
    named = re.findall(r"`(test_\w+)`", shown_by)
    assert set(named) <= TESTS
    assert all(name.startswith(f"test_{number.lower()}_") for name in named)
    assert bool(named) == (state in ("held", "partly"))
    assert state == "held" or missing.strip()


@pytest.mark.parametrize(("number", "state", "shown_by", "missing"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_files_that_exist(number: str, state: str, shown_by: str, missing: str) -> None:
    for path in re.findall(r"`([a-z]+/[\w./-]+)`", shown_by + missing):
        assert (ROOT / path).exists(), (number, path)
