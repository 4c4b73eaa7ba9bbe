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
CHAPTERS = re.findall(
    r"^\| (V\d+) [^|]+\| ([^|]+) \| ([^|]*)\| ([^|]*)\|$", (ROOT / "docs/threat-model.md").read_text(), re.M
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


def test_every_chapter_of_the_standard_has_one_row() -> None:
    assert [number for number, *_ in CHAPTERS] == [f"V{number}" for number in range(1, 18)]


@pytest.mark.parametrize(
    ("number", "where", "shown_by", "reason"), CHAPTERS, ids=[row[0] for row in CHAPTERS]
)
def test_a_chapter_names_tests_that_exist_or_a_reason(
    number: str, where: str, shown_by: str, reason: str
) -> None:
    named = re.findall(r"`(test_\w+)`", shown_by)
    assert set(named) <= TESTS, set(named) - TESTS
    assert named or reason.strip(), number
    for path in re.findall(r"`([a-z]+/[\w./-]+)`", where + shown_by + reason):
        assert (ROOT / path).exists(), path


def test_the_seven_duties_name_files_that_exist() -> None:
    text = (ROOT / "docs/safety-levels.md").read_text()
    rows = re.findall(r"^\| (\d) [^|]+\| [^|]+\| ([^|]+)\| [^|]+\|$", text, re.M)
    assert [number for number, _ in rows] == [str(number) for number in range(1, 8)]
    for path in re.findall(r"`([a-z]+/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for page in re.findall(r"\]\(([\w-]+\.md)\)", text):
        assert (ROOT / "docs" / page).exists(), page
