"""The sensitive-data gate (vietnam.md §5): HIV/AIDS, drug addiction and prostitution stay outside.

It is on for every import. What it stops is neither stored nor kept as payload, only counted; an
ambiguous medicine is set aside for a person to review. What it cannot read is stopped (fail closed).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from ehr.intake import hidden
from ehr.intake.folding import fold_for_gate
from ehr.intake.labels import NAMES, labels_of_code
from ehr.intake.names import Names
from ehr.intake.rules import GATE_RULES as RULES
from ehr.intake.rules import RULES_VERSION
from ehr.intake.splits import Splits, short_names
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
_ICD_CODES = (
    r"(?:b2[0-4]|z21|r75|f1[1-689]|z11\.4|z20\.6|z71\.7|z71\.5|z72\.2|z50\.3|o98\.7|f02\.4)"
    r"(?:\.?\d{1,2})?[†*+]?"
)
_ICD_TEXT = re.compile(
    r"(?:icd[\W_]{0,20}(?:10)?[\W_]{0,20}{codes}(?![a-z0-9]))"
    r"|(?:^|[(\[;,/])\s{0,40}{codes}\s{0,40}(?=$|[)\]:;,/†*–-])".replace("{codes}", _ICD_CODES),
    re.MULTILINE,
)
_ICD_STEMS = tuple(code.lower() for code in ("B20", "B21", "B22", "B23", "B24", *RULES["icd_drop"]))
# Ids, numbers and dates cannot hold a name.
_BORING = re.compile(
    r"(?:urn:uuid:|(?:AllergyIntolerance|Appointment|CarePlan|CareTeam|ClinicalImpression|Composition|Condition"
    r"|Coverage|Device|DiagnosticReport|DocumentReference|Encounter|EpisodeOfCare|FamilyMemberHistory|Goal"
    r"|ImagingStudy|Immunization|Location|Medication(?:Administration|Dispense|Request|Statement)?|Observation"
    r"|Organization|Patient|Practitioner|PractitionerRole|Procedure|Provenance|QuestionnaireResponse"
    r"|RelatedPerson|ServiceRequest|Specimen|VerificationResult)/)?"
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9][0-9TZ:.+-]*"
)
_CHUNK = 16
_FOR_DIGITS = str.maketrans("OILZS", "01125")
# Digits and signs for letters. Long names are looked for in the text read so, short ones are spelt out;
# `a1d5` is a part of many ids and no name.
_LEET = str.maketrans("0134578@$!|", "oieastbasii")
# Letters above f beside it: what is hexadecimal is an id. It starts at the rare character.
_LEET_INSIDE = re.compile(r"[0134578@$!|](?:(?<=[g-z].)[0134578@$!|]?[a-z]|(?<=[a-z].)[0134578@$!|]?[g-z])")
_LEET_HINTS = ("1v", "!v", "|v", "1ds", "!ds", "|ds", "4ids", "@ids", "aid5", "aid$", "s1da", "4rv", "@rv")
_LEET_SHORT = re.compile(
    r"(?:(?<![a-z0-9])|(?<=anti))"
    r"(?:h[1!|]v|a[1!|]ds|[4@][i1!|]ds|aid[5$]|s1da|[4@]rv)(?:ag|ab|rna|dna|test)?\d*(?![a-z])"
)
_LONG_NAME = 7
_LONG_NAMES: Names[Tag] = Names(
    (name, tag) for name, tag in _TAGGED if not isinstance(tag, Label) and len(name) >= _LONG_NAME
)
_SPLITS = Splits(
    name
    for name, tag in _TAGGED
    if not isinstance(tag, Label)
    and ((name.isalpha() and len(name) >= _LONG_NAME) or "ma tuy" in name or name == "nghien chat")
)


def _plain_code(code: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", code.upper())


def _as_digits(plain: str) -> str:
    """Letters that stand for digits after the first: BZ0, B2O."""
    read = plain[:1] + plain[1:3].translate(_FOR_DIGITS)
    return read + plain[3:] if read[1:].isdigit() else plain


_ICD_DROP = tuple(_plain_code(code) for code in RULES["icd_drop"])
_ICD_REVIEW = tuple(_plain_code(code) for code in RULES["icd_review"])


class Finding(Struct, frozen=True):
    """What the gate says of one resource, and the labels of what it lets in."""

    verdict: Verdict
    labels: Label = Label.NONE


_DROPPED = Finding("drop")


# Names of elements, systems and states that were read and tell nothing stand in every unit; a unit of
# measure may begin like the rest of a name.
_PLAIN: set[str] = {"/min"}
_PLAIN_MAX = 5_000
_PLAIN_WORD = re.compile(r"[A-Za-z_-]{1,40}|(?:https?://|urn:vn:)[a-zA-Z0-9:/._-]{1,100}")


class Gate:
    """The gate for one unit: reads each of its texts once, forgets them with it."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._telling: set[str] = set()

    def read(self, texts: set[str]) -> None:
        """Find the texts that hold a name, many at a time: nearly all hold none."""
        fresh = [text for text in texts - self._known - _PLAIN if not _BORING.fullmatch(text)]
        self._known |= texts
        packed = [text for text in fresh if len(text) >= hidden.SHORTEST and hidden.may_hold(text)]
        self._telling.update(text for text in packed if _tells(_with_inner([text])))
        for plain in (True, False):
            self._sift([text for text in fresh if text.isascii() is plain], _CHUNK)
        if len(_PLAIN) < _PLAIN_MAX:
            _PLAIN.update(text for text in fresh if _PLAIN_WORD.fullmatch(text) and text not in self._telling)

    def _sift(self, texts: list[str], size: int) -> None:
        for start in range(0, len(texts), size):
            part = texts[start : start + size]
            if not _tells(part):
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
        if hints and short_names(hints.lower()):
            return _DROPPED
        if found.strings.isdisjoint(self._telling) and hints not in self._telling and len(found.parts) < 2:
            return Finding(by_code, labels)
        words = (one for one in found.strings if not _BORING.fullmatch(one))
        text = fold_for_gate("\n".join(_with_inner((*words, hints))))
        short = short_names("\n".join(found.parts))
        by_text, by_name = _read_text("\n".join([text, *_SPLITS.joined(text), *short]))
        return Finding(by_text if by_text != "keep" else by_code, labels | by_name)


def _tells(texts: list[str]) -> bool:
    """Whether a name, or the rest of one that was cut in two, stands in one of the texts."""
    text = fold_for_gate("\n".join(texts))
    return _read_text(text) != ("keep", Label.NONE) or _SPLITS.may_end_here(text)


def _with_inner(texts: Iterable[str]) -> list[str]:
    """The texts, and what some of them hold in base64."""
    inner = (one for text in texts if hidden.may_hold(text) for one in hidden.texts_inside(text))
    return [*texts, *inner]


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
    plain = _as_digits(_plain_code(code if code.isascii() else fold_for_gate(code)))
    if plain.startswith(_ICD_DROP):
        return "drop", Label.NONE
    return ("review" if plain.startswith(_ICD_REVIEW) else "keep"), labels_of_code(system, code)


def may_tell(code: str) -> bool:
    """Whether the code is stopped or labelled under any system: a known one can only take that back."""
    return _judge_code("", code) != ("keep", Label.NONE)


def _holds_icd(text: str) -> bool:
    return any(map(text.__contains__, _ICD_STEMS)) and _ICD_TEXT.search(text) is not None


def _read_text(text: str) -> tuple[Verdict, Label]:
    """The verdict on folded text, and the labels its names ask for."""
    if "aid" in text:
        text = _ALLOWED.sub(" ", text)
    hits = _NAMES.found(text)
    labels = Label.NONE
    for tag in hits:
        if isinstance(tag, Label):
            labels |= tag
    if _is_leet(text) or "drop" in hits or ("pair-a" in hits and "pair-b" in hits) or _holds_icd(text):
        return "drop", labels
    waiting = set(hits.get("review", ()))
    for name, excuses in RULES["review_unless"].items():
        if name in waiting and any(excuse in text for excuse in excuses):
            waiting.discard(name)
    if not waiting:
        return "keep", labels
    return ("drop" if _paid_elsewhere(text) else "review"), labels


def _is_leet(text: str) -> bool:
    """Names written with digits and signs for letters."""
    if any(map(text.__contains__, _LEET_HINTS)) and _LEET_SHORT.search(text):
        return True
    return _LEET_INSIDE.search(text) is not None and not _LONG_NAMES.found(
        text.translate(_LEET)
    ).keys().isdisjoint(("drop", "review"))


def judge_plain(text: str) -> Verdict:
    """The verdict on a text as it was sent (also file names)."""
    return _read_text(fold_for_gate("\n".join(_with_inner([text]))))[0]


def _paid_elsewhere(text: str) -> bool:
    """NGUON_CTRA other than 1 beside an ARV name: the HIV programme pays (vietnam.md §5)."""
    paid = _PAID.search(text)
    return paid is not None and paid.group(1) != "1"
