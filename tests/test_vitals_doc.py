"""docs/vitals.md: every promise about wearables names the tests that show it, and they exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/vitals.md").read_text()
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.M)
}
# What the document promises, in its order; a promise does not vanish silently.
PROMISES = {
    "Feature table": (
        "batch ingest",
        "per-item errors",
        "edit that moves the time",
        "deletions",
        "plausibility, clock",
        "units",
        "gzip / backpressure",
        "alerts",
        "escalation",
        "summaries",
        "FHIR",
        "to the doctor",
    ),
    "Faults of others that are our tests": (
        "every batch is answered alike: the client never learns what was dropped",
        "an unknown kind is skipped without a count",
        "5,000 bpm, a date in 2031, heart rate in kg and °F as °C are stored",
        "the same id with a moved time becomes two rows, and nothing can be deleted",
        "gzip is answered with 400",
        "more is accepted than stored, and appears a minute later",
        "a client sends one batch for ever, since each answer says success",
        "steps twice, sources added up, sleep that never arrives",
        "one snooze silences high and low",
        "alert state is lost at a restart",
        "a snooze ends with the next reading",
        "travel inflates steps",
    ),
}


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    body = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("section", PROMISES)
def test_each_promise_of_vitals_stands_there_once(section: str) -> None:
    assert tuple(cells[0] for cells in rows(section)) == PROMISES[section]


@pytest.mark.parametrize(
    "cells", [cells for section in PROMISES for cells in rows(section)], ids=lambda cells: cells[0]
)
def test_a_promise_of_vitals_names_tests_that_exist(cells: list[str]) -> None:
    shown_by = cells[-1]
    named = re.findall(r"`(test_\w+)`", shown_by)
    assert set(named) <= TESTS
    assert bool(named) != (shown_by == "not built")


@pytest.mark.parametrize("head", ["| rule | what it does | shown by |", "| step | rule | shown by |"])
def test_each_rule_of_storing_and_of_alerts_names_its_tests(head: str) -> None:
    table = TEXT.partition(f"\n{head}\n")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(table) > 8
    for line in table:
        cell = line.strip().strip("|").rpartition("|")[2]
        assert re.findall(r"`test_\w+`", cell), line


def test_every_test_named_beside_vitals_exists() -> None:
    assert set(re.findall(r"`(test_\w+)`", TEXT)) <= TESTS
