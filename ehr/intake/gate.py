"""The sensitive-data gate (vietnam.md §5): HIV/AIDS, drug addiction and prostitution stay outside.

It is on for every import. What it stops is neither stored nor kept as payload, only counted; an
ambiguous medicine is set aside for a person to review. What it cannot read is stopped (fail closed).
"""

import json
import re
from pathlib import Path
from typing import Any, Literal

from ehr.intake.folding import fold_for_gate
from ehr.intake.survey import Survey

Verdict = Literal["keep", "drop", "review"]

RULES: dict[str, Any] = json.loads(Path(__file__).with_name("gate_rules.json").read_text("utf-8"))
VERSION: str = RULES["version"]

_SPACED = {"hiv", "aids", "arv"}
_GAP = r"[\W_]*"
_OTHER_SYSTEMS = ("loinc", "snomed", "rxnorm", "cvx", "terminology.hl7.org", "unitsofmeasure")


def _word(name: str) -> str:
    """A pattern for one folded name: short ones must stand alone, long ones may take an ending."""
    if name in _SPACED:
        letters = r"[\W_]{1,3}".join(name)
        solid = rf"(?:(?<![a-z])|(?<=anti)|(?<=xn)){name}(?:ag|ab|rna|dna|combo|test|am|duong)?\d*(?![a-z])"
        return rf"{solid}|(?<![a-z0-9]){letters}(?![a-z])"
    body = _GAP.join(re.escape(part) for part in name.split())
    return rf"(?<![a-z]){body}" + (r"(?![a-z])" if len(name) <= 4 else "")


def _by_stem(names: list[str]) -> dict[str, re.Pattern[str]]:
    """Patterns by the first letters of their names: a pattern runs only where its stem occurs."""
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(_SQUEEZE.sub("", name)[:5], []).append(_word(name))
    return {stem: re.compile("|".join(words)) for stem, words in stems.items()}


def _plain_code(code: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", code.upper())


_SQUEEZE = re.compile(r"[\W_]+")
_DROP = _by_stem(RULES["names_drop"] + RULES["medicines_drop"])
_REVIEW = _by_stem(RULES["medicines_review"])
_PAIRS = [_by_stem(names) for names in RULES["pairs_drop"]]
_ALLOWED = re.compile("|".join(re.escape(p) for p in sorted(RULES["allowed_phrases"], key=len, reverse=True)))
_ICD_DROP = tuple(_plain_code(c) for c in RULES["icd_drop"])
_ICD_REVIEW = tuple(_plain_code(c) for c in RULES["icd_review"])
_CODES = {s: frozenset(c) for s, c in RULES["codes_drop_unconfirmed"].items() if isinstance(c, list)}
_ICD_TEXT = re.compile(
    r"(?:^|[(\[;,/]|icd[\W_]*(?:10)?[\W_]*)\s*(b2[0-4]|z21|r75|f1[1-689]|z11\.4|z20\.6|z71\.7|z71\.5|z72\.2|z50\.3"
    r"|o98\.7|f02\.4)(?:\.?\d{1,2})?[†*+]?\s*(?=$|[)\]:;,/†*–-])",
    re.MULTILINE,
)
# Ids, numbers and dates cannot hold a name.
_BORING = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f-]{27}|[0-9][0-9TZ:.+-]*")


class Gate:
    """The gate for one unit: remembers the unit's harmless short texts, forgets them with it."""

    def __init__(self) -> None:
        self._clean: set[str] = set()

    def judge(self, found: Survey, hints: str = "") -> Verdict:
        """The verdict on one resource. hints: folded text of the row it was made from."""
        if found.unreadable:
            return "drop"
        verdict = self._judge_codes(found.codes)
        if verdict == "drop":
            return "drop"
        fresh = found.strings - self._clean
        if not fresh and not hints:
            return verdict
        text = fold_for_gate("\n".join(s for s in fresh if not _BORING.fullmatch(s)))
        if hints:
            text = f"{text}\n{hints}"
        by_text = judge_text(text)
        if by_text == "keep":
            self._clean.update(s for s in fresh if len(s) <= 48)
        return by_text if by_text != "keep" else verdict

    def _judge_codes(self, codes: list[tuple[str, str]]) -> Verdict:
        verdict: Verdict = "keep"
        for system, code in codes:
            listed = _CODES.get(system)
            if listed is not None:
                if code in listed:
                    return "drop"
            elif code[:1] in "BZRFTObzrfto" and not any(s in system for s in _OTHER_SYSTEMS):
                plain = _plain_code(code)
                if plain.startswith(_ICD_DROP):
                    return "drop"
                if plain.startswith(_ICD_REVIEW):
                    verdict = "review"
        return verdict


def judge_text(text: str) -> Verdict:
    """The verdict on folded text."""
    if any(phrase in text for phrase in RULES["allowed_phrases"]):
        text = _ALLOWED.sub(" ", text)
    squeezed = _SQUEEZE.sub("", text)
    if _hits(_DROP, text, squeezed) or _ICD_TEXT.search(text):
        return "drop"
    hits = _hits(_REVIEW, text, squeezed)
    if not hits:
        return "keep"
    if all(_hits(pair, text, squeezed) for pair in _PAIRS):
        return "drop"
    for name, excuses in RULES["review_unless"].items():
        if any(excuse in text for excuse in excuses):
            hits.discard(name)
    if not hits:
        return "keep"
    return "drop" if _paid_elsewhere(text) else "review"


def judge_plain(text: str) -> Verdict:
    """The verdict on a text as it was sent."""
    return judge_text(fold_for_gate(text))


def judge_icd(code: str) -> Verdict:
    """The verdict on one ICD-10 code, with or without dot, † or *."""
    plain = _plain_code(code)
    if plain.startswith(_ICD_DROP):
        return "drop"
    return "review" if plain.startswith(_ICD_REVIEW) else "keep"


def _hits(patterns: dict[str, re.Pattern[str]], text: str, squeezed: str) -> set[str]:
    found: set[str] = set()
    for stem, pattern in patterns.items():
        if stem in squeezed:
            found.update(match.group() for match in pattern.finditer(text))
    return found


def _paid_elsewhere(text: str) -> bool:
    """NGUON_CTRA other than 1 beside an ARV name: the HIV programme pays (vietnam.md §5)."""
    match = re.search(RULES["paid_elsewhere_hint"] + r":([0-9]+)", text)
    return match is not None and match.group(1) != "1"
