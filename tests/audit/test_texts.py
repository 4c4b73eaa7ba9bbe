"""Every act that the program logs can be said in plain Vietnamese."""

import ast
import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest

from api.citizen.vaccination import BOOK as VACCINATION_BOOK
from api.exporting import BOOK, BUNDLE, CARD, EVERYTHING, IPS, SHEET, letter_of, paper_of
from api.partner.records import PAPER_PART, part_of
from audit.policy import READ_TAGS, read_tag
from ehr.cases.models import Act, CaseState, Kind
from ehr.cases.policy import after
from identity.registry.models import ActKind
from kernel.access import PARTNER_GROUPS, Action, ActorKind, RecordType, Role
from reminders.models import Kind as ReminderKind
from tests.support.shared import ROOT
from vaccination.reactions.models import ReactionAct
from visits.consultations.models import ConsultationAct

TEXTS: dict[str, Any] = json.loads((ROOT / "audit" / "texts" / "vi.json").read_bytes())
PACKAGES = (
    *("identity", "consent", "visits", "ehr", "family", "notifications", "vaccination", "vitals"),
    *("api", "healthbook"),
)
TAG = re.compile(r"[a-z]+:[a-z-]+:[a-z-]+")
# consent/requests/service.py makes these from the request's new status.
# identity/registry/service.py makes these of the kind of the act.
_REGISTRY = {
    f"registry:{kind}:{word}" for kind in get_args(ActKind) for word in ("propose", "confirm", "refuse")
}
# ehr/cases/moves.py makes these of a case's kind and the act; the others are noted beside.
_CASES = {
    f"case:{kind}:{act}"
    for kind in get_args(Kind)
    for act in get_args(Act)
    if act == "open" or any(after(kind, state, act) for state in get_args(CaseState))
} | {"case:file:read", "case:evidence:create", "case:evidence:read"}
_PARTS = [
    kind.part
    for kind in (IPS, BUNDLE, BOOK, VACCINATION_BOOK, SHEET, CARD, EVERYTHING, paper_of(""), letter_of(""))
]
# An export that was cut on its way has words of its own (api/exporting.py).
_EXPORTS = {read_tag("export-record", part) for part in _PARTS} | {f"record:{part}:cut" for part in _PARTS}
_EXPORTS |= {"record:certificate:cut"}
# What is read beside the record (api/citizen/articles.py, healthbook/statistics_jobs.py,
# healthbook/axis_jobs.py).
_BESIDE = {read_tag("read-summary", part) for part in ("articles", "axis", "completeness", "statistics")}
# Sections that are made of the record and of plans or tables beside it.
_BESIDE |= {
    read_tag("read-section", part)
    for part in (
        *("family-history", "growth", "health-checks", "medicine-safety", "papers", "paper-check"),
        "letters",
        *("certificate", "certificates"),
        "household",
        *(
            "prescription-code",
            "programmes",
            "nutrition",
            "reminders",
            "screenings",
            "statements",
            "health-card",
            "health-cards",
            "vaccination",
            "vaccination-schedule",
            "vitals",
            "vitals-fhir",
            "alerts",
            "alert-rules",
        ),
    )
}
# A ticket to a viewer that was followed (api/reading.py).
_VIEWER = {read_tag("read-document", "viewer")}
# The services of these make them of the act's word, family/attesting.py of what a desk says of a guardian.
_ACTS = (
    {f"consultation:question:{word}" for word in (*get_args(ConsultationAct), "ask", "read", "share")}
    | {"consultation:picture:read"}
    | {f"vaccination:reaction:{word}" for word in (*get_args(ReactionAct), "report", "read")}
    | {
        f"vaccination:registration:{word}"
        for word in ("attend", "cancel", "list", "miss", "read", "register")
    }
    | {
        f"visit:appointment:{word}"
        for word in ("attend", "book", "call-off", "cancel", "confirm", "hold", "list", "miss")
    }
    | {f"ehr:check:{word}" for word in ("amend", "create", "withdraw")}
    | {f"record:statement:{word}" for word in ("amend", "confirm", "create", "refute", "withdraw")}
    | {f"reminder:{kind}:change" for kind in get_args(ReminderKind)}
    | {f"reminder:own:{word}" for word in ("make", "change", "delete")}
    | {f"referral:letter:{word}" for word in ("answer", "book", "receive", "see")}
    | {f"consent:delegation:{word}" for word in ("create", "end")}
    | {f"consent:link:{word}" for word in ("arm", "confirm", "create", "revoke")}
    | {f"consent:share-code:{word}" for word in ("create", "end")}
    | {f"consent:app:{word}" for word in ("connect", "end", "confirm")}
    | {f"family:guardian:{word}" for word in ("bar", "unbar")}
    | {f"rights:request:{word}" for word in ("answer", "extend", "finish", "refuse")}
)
# What left for a partner (api/partner/records.py): every choice of groups has words of its own.
_PARTNERS = {
    read_tag("read-by-app", part_of(list(groups)))
    for size in range(1, len(PARTNER_GROUPS) + 1)
    for groups in combinations(PARTNER_GROUPS, size)
} | {read_tag("read-by-app", PAPER_PART)}
# What is always shown to a doctor who may open the book (api/doctor/safety.py).
_FLAGS = {read_tag("flag-safety", "safety")}
COMPOSED = (
    {"consent:request:refuse", "consent:request:report"}
    | _ACTS
    | _FLAGS
    | _VIEWER
    | _REGISTRY
    | _CASES
    | _EXPORTS
    | _BESIDE
    | _PARTNERS
)
# The sections that can be opened alone; "documents" has an action of its own.
PARTS = {
    node.args[2].value
    for node in ast.walk(ast.parse((ROOT / "api" / "doctor" / "patients.py").read_text()))
    if isinstance(node, ast.Call)
    and isinstance(node.func, ast.Name)
    and node.func.id == "read_section"
    and isinstance(node.args[2], ast.Constant)
} - {"documents"}


def logged_tags() -> set[str]:
    """Texts of the form source:subject:action in every module that logs an act of a person's chain."""
    found = COMPOSED | set(READ_TAGS.values()) | {read_tag("read-section", part) for part in PARTS}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        found |= tags_in(path)
    return found


def tags_in(path: Path) -> set[str]:
    text = path.read_text()
    # api/reminding.py: noted hands the tag on.
    if "record_act" not in text and "import noted" not in text:
        return set()
    values = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return {value for value in values if isinstance(value, str) and TAG.fullmatch(value)}


def test_every_logged_act_has_words_and_no_words_wait_in_vain() -> None:
    assert logged_tags() == set(TEXTS["acts"])


# What the person sees of the own account is no part of the record, and stands in no log.
NOT_LOGGED = {"read-account"}


def test_every_reading_action_has_a_tag() -> None:
    reads = {action for action in get_args(Action) if action.startswith("read-") or action == "search"}
    # Whoever may open a case reads the own ones; a guardian sees a child's log, a pharmacist one paper.
    assert (reads - NOT_LOGGED) | {"open-case", "look-at-log", "dispense"} == set(READ_TAGS)


@pytest.mark.parametrize("kind", [*get_args(Role), *get_args(ActorKind)])
def test_every_actor_has_a_title(kind: str) -> None:
    assert TEXTS["titles"][kind]


@pytest.mark.parametrize("name", sorted({name.partition(".")[0] for name in get_args(RecordType)}))
def test_every_resource_type_has_a_word(name: str) -> None:
    assert TEXTS["types"][name]
