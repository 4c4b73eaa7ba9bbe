"""What the pages for app teams name exists: addresses, calls, codes, links, flows. The demo signs acts."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consent.policy import ATTEMPTS_MAX, REQUEST_WINDOW
from consent.transfer import NONCE_STEPS
from ehr.reads.changes import CURSOR_LIFE, PAGE_DEFAULT, PAGE_MAX
from healthbook.demo_acts import ACTS
from identity import budgets, sessions
from identity.entry.letters import CODE_LIFE, CODE_TRIES
from identity.policy import DEVICES_MAX, PROBATION
from reminders.answers.policy import CLOCK_CLOSE, EARLY, OLDEST
from reminders.phone import AHEAD
from store.idempotency import LIVE_HOURS, LIVE_MAX
from tests.support import npm
from visits.booking.policy import HOLD_LIFE
from visits.check_ins.phone import LATE_MAX

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "mobile-contract"
# errors.md is generated, and held to its source elsewhere.
PAGES = sorted({*CONTRACT.glob("*.md"), *CONTRACT.glob("*/README.md")} - {CONTRACT / "errors.md"})
# Whatever people read on their way to or from these pages.
LINKING = [*PAGES, *sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
METHOD = r"(GET|POST|PUT|PATCH|DELETE)"
ADDRESS = r"/(?:v1|shc|fhir|\.well-known)/[^\s`?…*]*[^\s`?…*/.]"
# Signed inside another act, by another verb of `healthbook as`, or on a download.
BESIDE = {"consent-approve", "consent-label", "share-code-label", "export-record"}


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _document() -> Any:
    return msgspec.json.decode((ROOT / "openapi" / "openapi.json").read_bytes())


def _codes() -> dict[str, int]:
    """Every problem of ours → its status."""
    problems = msgspec.json.decode((CONTRACT / "errors.json").read_bytes())["problems"]
    return {one["code"]: one["status"] for one in problems}


def _drawn(page: Path) -> list[str]:
    return re.findall(r"^```mermaid\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def _operations() -> dict[tuple[str, str], str]:
    """Method and address without the names of its parameters → operationId."""
    document = _document()
    return {
        (method.upper(), _bare(path)): one["operationId"]
        for path, item in document["paths"].items()
        for method, one in item.items()
        if isinstance(one, dict) and "operationId" in one
    }


def _texts() -> str:
    return "\n".join(page.read_text() for page in PAGES)


def test_each_address_of_the_contract_is_one_of_the_api() -> None:
    known = {path for _, path in _operations()}
    named = set(re.findall(rf"`(?:{METHOD} )?({ADDRESS})`", _texts()))
    assert len(named) > 120
    assert {path for _, path in named if _bare(path) not in known} == set()


def test_each_call_of_the_contract_is_an_operation_and_each_shortened_one_the_end_of_one() -> None:
    known = set(_operations())
    named = set(re.findall(rf"`{METHOD} ({ADDRESS})(?=[`?\s])", _texts()))
    assert len(named) > 110
    assert {one for one in named if (one[0], _bare(one[1])) not in known} == set()
    ends = set(re.findall(rf"`(?:{METHOD} )?…(/[^\s`?…*]+)", _texts()))
    assert len(ends) > 35
    lost = {
        (method, end)
        for method, end in ends
        if not any(path.endswith(_bare(end)) and method in ("", verb) for verb, path in known)
    }
    assert lost == set()


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


def test_the_page_of_offline_work_says_the_numbers_that_hold() -> None:
    page = (CONTRACT / "offline.md").read_text()
    minutes = int(REQUEST_WINDOW.total_seconds() // 60)
    said = (
        f"`limit` {PAGE_DEFAULT}, at most {PAGE_MAX}",
        f"older than {CURSOR_LIFE.days} days",
        f"{LIVE_HOURS} hours from the first try",
        f"{LIVE_MAX:,} of one account in {LIVE_HOURS} hours",
        f"| {int(LATE_MAX.total_seconds() // 3600)} hours, with `is_late` |",
        f"| {OLDEST.days} days | reminder and `due_at` |",
        f"`GET /v1/me/reminders/plan`, {AHEAD.days} days",
        f"a request lives {minutes} minutes",
    )
    assert [one for one in said if one not in page] == []
    assert (timedelta(minutes=5), timedelta(minutes=5), timedelta(hours=6)) == (HOLD_LIFE, CLOCK_CLOSE, EARLY)
    assert (ATTEMPTS_MAX, NONCE_STEPS) == (5, 5)
    for one in ("within the five minutes", "up to 5 minutes", "more than six hours ahead", "five in all"):
        assert one in page


def test_no_operation_of_the_service_answers_what_the_page_of_conflicts_says_is_not_used() -> None:
    document = _document()
    operations = [one for item in document["paths"].values() for one in item.values() if "responses" in one]
    assert not {"412", "428"} & {status for one in operations for status in one["responses"]}
    assert "**no operation answers 412 or 428**" in (CONTRACT / "offline.md").read_text()


def test_each_operation_of_the_queue_s_table_takes_the_name_that_the_table_gives_it() -> None:
    """`Idempotency-Key` in the third column where, and only where, the operation lists it."""
    document = _document()
    page = (CONTRACT / "offline.md").read_text()
    table = page.partition("## What may wait for the network")[2].partition("\n\nA queue")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) > 12
    for calls, _, name, *_ in rows:
        for method, path in re.findall(rf"`{METHOD} ({ADDRESS})`", calls):
            listed = str(document["paths"][path][method.lower()].get("parameters", []))
            assert ("Idempotency-Key" in listed) == ("Idempotency-Key" in name) or "–" in name, (method, path)


def test_every_problem_that_the_pages_tell_an_app_to_act_on_is_one_of_ours() -> None:
    codes = _codes()
    named = set(re.findall(r"\b(4\d\d|5\d\d),? `([a-z]+(?:-[a-z]+)+)`", _texts()))
    named |= set(re.findall(r"-->>\w+: (4\d\d|5\d\d) ([a-z]+(?:-[a-z]+)+)", _texts()))
    assert {"not-signed-in", "session-ended", "device-clock-off", "app-too-old"} <= {
        code for _, code in named
    }
    assert {one for one in named if codes.get(one[1]) != int(one[0])} == set()


def test_every_word_in_the_form_of_a_code_is_one_of_the_service_or_known_here() -> None:
    """Problem codes, members and values of the document, types of signed acts; another word was misspelt or
    went away."""
    document = (ROOT / "openapi" / "openapi.json").read_text()
    acts = {act.typ for act in ACTS} | BESIDE
    elsewhere = {"step-up", "mutable-content", "doctor-ios", "x-deprecation", "dart-dio", "openapi-fetch"}
    # Reasons of reference/health-connect.ts, and categories of FHIR.
    elsewhere |= {"no-id", "observation-of-no-category", "self-measured", "type-not-taken", "social-history"}
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", _texts()))
    assert len(named) > 100
    assert {one for one in named - set(_codes()) - acts - elsewhere if f'"{one}"' not in document} == set()


def test_the_reference_client_knows_no_code_that_the_service_does_not_have() -> None:
    codes = set(_codes())
    of_items = {"too-many"}
    text = "\n".join(path.read_text() for path in sorted((CONTRACT / "reference").glob("*.ts")))
    named = set(re.findall(r"\bcode [!=]== \"([a-z]+(?:-[a-z]+)+)\"", text))
    assert {"cursor-expired", "reminder-plan-changed"} <= named
    assert named - of_items - codes == set()


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are drawn on a forge: small letters, hyphens, no signs."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in _anchors(found)):
            lost.append(target)
    assert lost == []


def test_the_first_page_is_two_pages_and_leads_to_every_other() -> None:
    text = (CONTRACT / "README.md").read_text()
    assert len(text.splitlines()) <= 110
    names = {str(page.relative_to(CONTRACT)) for page in PAGES} | {"errors.md"}
    assert names - {"README.md"} - set(re.findall(r"\]\(([^)#\s]+)", text)) == set()


def _flows() -> list[str]:
    return _drawn(CONTRACT / "flows.md")


def test_every_arrow_to_the_service_is_an_operation_by_its_name() -> None:
    known, flows = _operations(), _flows()
    assert len(flows) == 6
    for flow in flows:
        arrows = re.findall(r"^\s*\w+->>S: (.+)$", flow, re.MULTILINE)
        assert len(arrows) >= 3
        for arrow in arrows:
            called = re.fullmatch(rf"{METHOD} (/\S+)(?: with X-Patient-Id)? \((\w+)\)", arrow)
            assert called is not None, arrow
            assert known.get((called[1], _bare(called[2]))) == called[3], arrow


def test_every_push_of_a_flow_is_a_type_of_the_contract() -> None:
    schema = msgspec.json.decode((CONTRACT / "push.schema.json").read_bytes())
    types = set(schema["properties"]["type"]["enum"])
    pushed = set(re.findall(r"S-->>\w+: push ([a-z-]+)", "\n".join(_flows())))
    assert len(pushed) >= 3
    assert pushed <= types


def test_every_picture_of_the_pages_is_one_that_mermaid_draws() -> None:
    place = ROOT / "tests" / "flows"
    drawn = [text for page in LINKING for text in _drawn(page)]
    assert len(drawn) >= 7
    wrong = "sequenceDiagram\n    A->>>>B hello"
    command = ["node", str(place / "parse.mjs"), str(npm.installed(place))]
    done = subprocess.run(
        command, input=msgspec.json.encode([*drawn, wrong]), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    *said, of_wrong = msgspec.json.decode(done.stdout)
    assert [one for one in said if one is not None] == []
    assert of_wrong is not None
