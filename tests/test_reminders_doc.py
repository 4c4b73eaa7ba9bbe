"""docs/reminders.md and docs/notifications.md: every promise names the tests that show it, and they exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("reminders", "notifications")}
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.M)
}
# What the two documents promise, in their order; a promise does not vanish silently.
FEATURES = {
    "reminders": (
        "the official dose grammar with its checksum",
        "free wordings of the samples, every refusal explained",
        "FHIR dosage timing becomes the same plan",
        "meal times of the person",
        "alternate days, weekdays, tapering",
        "as needed has no times",
        "fixed intervals",
        "no frequency: no schedule and a question",
        "a stop date, and no more than was handed out",
        "replaced or not dispensed: reminders follow",
        "inpatient lines make none",
        "every schedule shows the text it came from",
        "taken, skipped, later; adherence per week",
        "refill before it runs out",
        "revisits and appointments",
        "exams and screening by versioned rules, switched off one by one",
        "a kind switched off",
        "vaccination due",
        "measurements",
        "nutrition with its source",
        "a card that expires",
        "new in the book, once per episode",
        "one's own reminders, and those of dependants",
        "caregiver notice on a missed dose, where allowed",
        "deterministic ids: a second run changes nothing",
        "a killed worker loses nothing and repeats nothing",
        "lateness after downtime: counted, not rung",
        "clock jumps both ways",
        "a year in two zones, summer time included",
        "the plan on the phone, and no push to a phone that has it",
        "a death stops reminders, an objection restores them",
    ),
    "notifications": (
        "one inbox row per notice, also what push lost",
        "a lease, and unknown when it runs out",
        "kill -9 at random points: handed over at least once, repeats with the same ids",
        "order per recipient",
        "what is late is dropped",
        "back-off with jitter, attempts limited",
        "Retry-After is kept to",
        "the real Firebase client against a local server",
        "dead targets go",
        "one contract for every sender",
        "a breaker per platform",
        "a provider that hangs stops nothing else, and an outage ends no notice",
        "a generic SMS gateway: request, signature, receipts",
        "access is checked again at send",
        "quiet hours in the person's zone, critical ones ring",
        "a digest of what is not urgent",
        "preferences per kind and channel",
        "push to SMS where a kind asks for it",
        "receipts end a repeat and an escalation",
        "dead letters are visible and can be tried again",
        "lateness, outcomes and depth as metrics",
        "no word of a record in any payload or log",
    ),
}


def rows(document: str) -> list[list[str]]:
    """The cells of the feature table, without its head."""
    body = TEXTS[document].partition("\n## Feature table\n")[2].partition("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("document", FEATURES)
def test_each_promise_of_reminders_stands_there_once(document: str) -> None:
    assert tuple(cells[0] for cells in rows(document)) == FEATURES[document]


@pytest.mark.parametrize("cells", rows("reminders") + rows("notifications"), ids=lambda cells: cells[0])
def test_a_promise_of_reminders_names_tests_that_exist(cells: list[str]) -> None:
    shown_by = cells[-1]
    named = re.findall(r"`(test_\w+)`", shown_by)
    assert set(named) <= TESTS
    assert bool(named) != (shown_by == "not built")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_test_named_beside_reminders_exists(text: str) -> None:
    assert set(re.findall(r"`(test_\w+)`", text)) <= TESTS
