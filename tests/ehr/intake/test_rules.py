"""The rule sets are versioned: each group has its source, and no rule changes under an old number."""

import hashlib
import json
from typing import Any

import pytest

from ehr.intake.rules import GATE_RULES, LABEL_RULES, RULES_NUMBER

ABOUT = {"number", "version", "date", "source", "note", "confirmed", "groups"}
# Number → digest of the rules themselves. A change needs a new number: books are judged again by it.
DIGESTS = {4: "f0f7ebcc0642ccec"}


def rules(file: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in file.items() if key not in ABOUT}


@pytest.mark.parametrize("file", [GATE_RULES, LABEL_RULES], ids=["gate", "labels"])
def test_every_group_of_rules_has_a_source_and_says_what_is_confirmed(file: dict[str, Any]) -> None:
    assert set(file["groups"]) == set(rules(file))
    for group in file["groups"].values():
        assert group["source"]
        assert isinstance(group["confirmed"], list)
    assert file["date"] <= file["version"].partition(".")[0] or file is LABEL_RULES


def test_no_rule_changes_under_an_old_number() -> None:
    text = json.dumps([rules(GATE_RULES), rules(LABEL_RULES)], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == DIGESTS[RULES_NUMBER]
