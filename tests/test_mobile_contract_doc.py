"""What the pages for app teams name exists: each address, and each signed act at the demo's hand."""

import re
from pathlib import Path

import msgspec

from healthbook.demo_acts import ACTS
from identity import budgets, sessions
from identity.entry.letters import CODE_LIFE, CODE_TRIES
from identity.policy import DEVICES_MAX, PROBATION

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "mobile-contract"
# Signed inside another act, by another verb of `healthbook as`, or on a download.
BESIDE = {"consent-approve", "consent-label", "share-code-label", "export-record"}


def test_each_address_of_the_contract_is_one_of_the_api() -> None:
    document = msgspec.json.decode((ROOT / "openapi" / "openapi.json").read_bytes())
    known = {re.sub(r"\{[^}]*\}", "{}", path) for path in document["paths"]}
    pages = ("README.md", "policy.md", "device-keys.md", "auth.md", "versions.md")
    text = "\n".join((CONTRACT / name).read_text() for name in pages)
    named = set(re.findall(r"`(?:(?:GET|POST|PUT|PATCH|DELETE) )?(/v1/[^\s`?…*]*[^\s`?…*/])`", text))
    assert len(named) > 60
    assert {one for one in named if re.sub(r"\{[^}]*\}", "{}", one) not in known} == set()


def test_the_demo_s_phone_signs_every_act_that_the_contract_lists() -> None:
    table = (CONTRACT / "device-keys.md").read_text().partition("| act | `typ` |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"^\| [^|]+ \| `([a-z-]+)` \|", table, re.MULTILINE))
    assert len(listed) > 20
    assert listed - {act.typ for act in ACTS} == BESIDE


def test_the_page_of_signing_in_says_the_numbers_that_hold() -> None:
    page = (CONTRACT / "auth.md").read_text()
    minutes = int(sessions.ACCESS_LIFE.total_seconds() // 60)
    said = {
        f"| {minutes} minutes (`expires_in_seconds`) |",
        f"single use; {sessions.REFRESH_LIFE.days} days from the last one",
        f"within **{int(sessions.REUSE_GRACE.total_seconds())} seconds**",
        f"on probation for {int(PROBATION.total_seconds() // 3600)} hours",
    }
    assert {one for one in said if one not in page} == set()
    fives = (CODE_TRIES, CODE_LIFE.total_seconds() / 60, budgets.WRONG_PIN_PERSON.limit, DEVICES_MAX)
    assert set(fives) == {5}
    for one in ("Five tries; then, or after five minutes", "Wrong PINs: five an hour", "**Five devices.**"):
        assert one in page


def test_every_problem_that_the_pages_tell_an_app_to_act_on_is_one_of_ours() -> None:
    codes = {one["code"] for one in msgspec.json.decode((CONTRACT / "errors.json").read_bytes())["problems"]}
    acted = r"(?:4\d\d|5\d\d),? `([a-z]+(?:-[a-z]+)+)`"
    pages = "\n".join((CONTRACT / name).read_text() for name in ("auth.md", "versions.md"))
    named = set(re.findall(acted, pages))
    assert {"not-signed-in", "session-ended", "device-clock-off", "app-too-old"} <= named <= codes
