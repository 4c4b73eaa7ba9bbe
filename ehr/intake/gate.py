"""The sensitive-data gate (vietnam.md §5): HIV/AIDS, drug addiction and prostitution stay outside.

It is on for every import. What it stops is neither stored nor kept as payload, only counted; an
ambiguous medicine is set aside for a person to review. What it cannot read is stopped (fail closed).
"""

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from ehr.intake.folding import fold_for_gate
from ehr.intake.labels import NAMES, labels_of_code
from ehr.intake.names import Names
from ehr.intake.rules import GATE_RULES as RULES
from ehr.intake.rules import RULES_VERSION
from ehr.intake.survey import Survey
from kernel.access import Label

Verdict = Literal["keep", "drop", "review"]

VERSION = RULES_VERSION

_DROP_KEYS = ("names_drop", "medicines_drop", "brands_drop_unconfirmed")
Tag = Literal["drop", "review", "pair-a", "pair-b"] | Label
_TAGGED: list[tuple[str, Tag]] = [
    *((name, "drop") for key in _DROP_KEYS for name in RULES[key]),
    *((name, "review") for name in RULES["medicines_review"] + RULES["brands_review_unconfirmed"]),
    *((name, "pair-a") for name in RULES["pairs_drop"][0]),
    *((name, "pair-b") for name in RULES["pairs_drop"][1]),
    *NAMES,
]
_NAMES: Names[Tag] = Names(_TAGGED)
_PHRASES: list[str] = sorted(RULES["allowed_phrases"], key=len, reverse=True)
_ALLOWED = re.compile("|".join(re.escape(phrase) for phrase in _PHRASES))
# Whatever the system is called: senders write it with https, a slash, an OID or not at all.
_CODES = frozenset(c for cs in RULES["codes_drop_unconfirmed"].values() if isinstance(cs, list) for c in cs)
_OTHER_SYSTEMS = ("loinc", "snomed", "rxnorm", "cvx", "terminology.hl7.org", "unitsofmeasure")
_PAID = re.compile(RULES["paid_elsewhere_hint"] + r":([0-9]+)")
# An ICD code in free text counts alone on its line, in brackets, in a list or after "ICD": a bed may be B21.
# Every gap is bounded: an open one costs the square of its length.
_ICD_TEXT = re.compile(
    r"(?:^|[(\[;,/]|icd[\W_]{0,20}(?:10)?[\W_]{0,20})\s{0,40}"
    r"(?:b2[0-4]|z21|r75|f1[1-689]|z11\.4|z20\.6|z71\.7|z71\.5|z72\.2|z50\.3|o98\.7|f02\.4)(?:\.?\d{1,2})?[†*+]?\s{0,40}(?=$|[)\]:;,/†*–-])",
    re.MULTILINE,
)
_ICD_STEMS = tuple(code.lower() for code in ("B20", "B21", "B22", "B23", "B24", *RULES["icd_drop"]))
# Ids, numbers and dates cannot hold a name.
_BORING = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f-]{27}|[0-9][0-9TZ:.+-]*")
_CHUNK = 16


def _plain_code(code: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", code.upper())


_ICD_DROP = tuple(_plain_code(code) for code in RULES["icd_drop"])
_ICD_REVIEW = tuple(_plain_code(code) for code in RULES["icd_review"])


class Finding(Struct, frozen=True):
    """What the gate says of one resource, and the labels of what it lets in."""

    verdict: Verdict
    labels: Label = Label.NONE


_DROPPED = Finding("drop")


class Gate:
    """The gate for one unit: reads each of its texts once, forgets them with it."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._telling: set[str] = set()

    def read(self, texts: set[str]) -> None:
        """Find the texts that hold a name, many at a time: nearly all hold none."""
        fresh = [text for text in texts - self._known if not _BORING.fullmatch(text)]
        self._known |= texts
        for plain in (True, False):
            self._sift([text for text in fresh if text.isascii() is plain], _CHUNK)

    def _sift(self, texts: list[str], size: int) -> None:
        for start in range(0, len(texts), size):
            part = texts[start : start + size]
            verdict, labels = _read_text(fold_for_gate("\n".join(part)))
            if verdict == "keep" and not labels:
                continue
            if size == 1:
                self._telling.add(part[0])
            else:
                self._sift(part, 1)

    def tells(self, texts: set[str]) -> bool:
        """Whether one of the texts that were read holds a name."""
        return not texts.isdisjoint(self._telling)

    def judge(self, found: Survey, hints: str = "") -> Finding:
        """The finding on one resource. hints: the text of the row it was made from, as written."""
        by_code, labels = _judge_codes(found.codes)
        if found.unreadable or by_code == "drop":
            return _DROPPED
        if not found.strings <= self._known:
            self.read(found.strings)
        if hints and hints not in self._known:
            self.read({hints})
        if found.strings.isdisjoint(self._telling) and hints not in self._telling:
            return Finding(by_code, labels)
        by_text, by_name = _read_text(fold_for_gate("\n".join((*found.strings, hints))))
        return Finding(by_text if by_text != "keep" else by_code, labels | by_name)


def _judge_codes(codes: list[tuple[str, str]]) -> tuple[Verdict, Label]:
    verdict: Verdict = "keep"
    labels = Label.NONE
    for system, code in codes:
        by_code, label = _judge_code(system, code)
        if by_code == "drop":
            return "drop", labels
        if by_code == "review":
            verdict = "review"
        if label:
            labels |= label
    return verdict, labels


@lru_cache(maxsize=20_000)
def _judge_code(system: str, code: str) -> tuple[Verdict, Label]:
    """The verdict on one code; a code without a known other system is read as ICD-10."""
    if code.strip() in _CODES:
        return "drop", Label.NONE
    if any(other in system for other in _OTHER_SYSTEMS):
        return "keep", Label.NONE
    plain = _plain_code(code if code.isascii() else fold_for_gate(code))
    if plain.startswith(_ICD_DROP):
        return "drop", Label.NONE
    return ("review" if plain.startswith(_ICD_REVIEW) else "keep"), labels_of_code(system, code)


def may_tell(code: str) -> bool:
    """Whether the code is stopped or labelled under any system: a known one can only take that back."""
    return _judge_code("", code) != ("keep", Label.NONE)


def _holds_icd(text: str) -> bool:
    return any(stem in text for stem in _ICD_STEMS) and _ICD_TEXT.search(text) is not None


def _read_text(text: str) -> tuple[Verdict, Label]:
    """The verdict on folded text, and the labels its names ask for."""
    if "aid" in text:
        text = _ALLOWED.sub(" ", text)
    hits = _NAMES.found(text)
    labels = Label.NONE
    for tag in hits:
        if isinstance(tag, Label):
            labels |= tag
    if "drop" in hits or ("pair-a" in hits and "pair-b" in hits) or _holds_icd(text):
        return "drop", labels
    waiting = set(hits.get("review", ()))
    for name, excuses in RULES["review_unless"].items():
        if name in waiting and any(excuse in text for excuse in excuses):
            waiting.discard(name)
    if not waiting:
        return "keep", labels
    return ("drop" if _paid_elsewhere(text) else "review"), labels


def judge_plain(text: str) -> Verdict:
    """The verdict on a text as it was sent (also file names)."""
    return _read_text(fold_for_gate(text))[0]


def _paid_elsewhere(text: str) -> bool:
    """NGUON_CTRA other than 1 beside an ARV name: the HIV programme pays (vietnam.md §5)."""
    paid = _PAID.search(text)
    return paid is not None and paid.group(1) != "1"
