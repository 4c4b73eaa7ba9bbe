"""The gate's and the labels' rule sets: versioned files, each group with its date, source and standing.

RULES_NUMBER rises with every change of either file: what an older number let in is judged again.
"""

import json
from pathlib import Path
from typing import Any


def _load(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    return made


GATE_RULES = _load("gate_rules.json")
LABEL_RULES = _load("label_rules.json")
RULES_NUMBER: int = GATE_RULES["number"]
RULES_VERSION: str = GATE_RULES["version"]
