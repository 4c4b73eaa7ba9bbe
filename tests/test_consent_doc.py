"""docs/consent.md: every promise of consent names the tests that show it, and they exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/consent.md").read_text()
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.M)
}
FEATURES = (
    "request names person, organisation, purpose, types, dates, duration",
    "citizen narrows four dimensions before approving",
    "ignored ≠ denied, expired ≠ revoked; three clocks",
    "revoke effective on next request",
    "signed artefact, third party can verify",
    "step-up factor for granting",
    "exact lifetime wrong-count under parallelism",
    "owner can re-issue a killed link",
    "code for one practitioner only",
    "category left out by default",
    "break-glass time-boxed, reasoned, notified",
    "log to citizen: person, org, when, what",
    "push on first access by a new actor",
    "log tamper-evident, citizen-verifiable",
    "completeness reconciled",
    "guardian; child assent",
    "automatic age hand-over",
    "adult proxy with own login, scopes, expiry",
    "facility QR check-in, idempotent token",
    "standing auto-approve",
    "renewal without a new visit",
)
THREATS = (
    "OTP brute force",
    "spread over doctors",
    "phishing by phone",
    "push fatigue",
    "enumeration by id",
    "replay",
    "races",
    "widened grant",
    "stolen phone",
    "SIM swap, number change",
    "insider mass access",
    "colleague uses grant",
    "stale grant",
    "QR leak, screenshot",
    "link killed by a stranger",
    "secrets in URL or logs",
    "sensitive leak by side path",
    "guardian overreach; race at 18",
    "log tampering",
    "audit outage",
    "audit gap",
    "SMS pumping",
)


def rows(section: str) -> list[list[str]]:
    """The cells of the one table of a section, without its head."""
    body = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(("section", "first"), [("Feature table", FEATURES), ("Threats", THREATS)])
def test_each_row_of_the_design_is_there_once(section: str, first: tuple[str, ...]) -> None:
    assert tuple(cells[0] for cells in rows(section)) == first


@pytest.mark.parametrize("cells", rows("Feature table") + rows("Threats"), ids=lambda cells: cells[0])
def test_a_row_names_tests_that_exist(cells: list[str]) -> None:
    shown_by = cells[-1]
    named = re.findall(r"`(test_\w+)`", shown_by)
    assert set(named) <= TESTS
    assert bool(named) != (shown_by == "not built")


def test_every_test_named_anywhere_exists() -> None:
    assert set(re.findall(r"`(test_\w+)`", TEXT)) <= TESTS
