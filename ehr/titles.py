"""What a thing is called: text → Vietnamese display → display → code and system, never a resource name."""

from functools import lru_cache
from urllib.parse import urlsplit

from ehr.displays import LOINC, names_of
from ehr.fhir import Coding, Concept
from kernel.text import fold

_NO_NAME = frozenset({"", "unknown", "n/a", "none", "null", "-", "khong ro", "khong xac dinh", "loinc code"})
# FHIR type names turn up as texts in real files (yourphr 315).
_TYPE_NAMES = frozenset(
    {
        "observation",
        "condition",
        "encounter",
        "procedure",
        "immunization",
        "medicationrequest",
        "medicationstatement",
        "diagnosticreport",
        "allergyintolerance",
        "documentreference",
        "careplan",
        "imagingstudy",
        "device",
        "resource",
    }
)
UNNAMED = "Không có tên"


def title_of(concept: Concept | None, unnamed: str = UNNAMED) -> str:
    """The best name of a concept; `unnamed` where the source gave neither text nor code."""
    if concept is None:
        return unnamed
    return name_of(concept) or _code_and_system(concept) or unnamed


def name_of(concept: Concept) -> str | None:
    """The best name in words; None where only a code is left."""
    own_words = _own_words(concept)
    if own_words:
        return own_words
    for coding in concept.coding:
        if names := names_of(coding.system, coding.code):
            return names[0]
    for coding in concept.coding:
        if coding.display and _is_name(coding.display):
            return coding.display.strip()
    return concept.text.strip() if concept.text and _is_name(concept.text) else None


def coding_title(coding: Coding | None) -> str | None:
    """The best name of a single coding, or None."""
    if coding is None:
        return None
    names = names_of(coding.system, coding.code)
    return names[0] if names else coding.display or coding.code


def main_coding(concept: Concept | None) -> Coding | None:
    """The coding we index: LOINC where given (a reference column of every catalogue), else the first."""
    if concept is None or not concept.coding:
        return None
    return next((c for c in concept.coding if c.system == LOINC and c.code), concept.coding[0])


def search_text(title: str, *concepts: Concept | None) -> str:
    """Folded words by which a thing is found: its title, displays, Vietnamese names and codes."""
    words = [title]
    for concept in concepts:
        if concept is None:
            continue
        if concept.text:
            words.append(concept.text)
        for coding in concept.coding:
            words += [word for word in (coding.display, coding.code) if word]
            words += names_of(coding.system, coding.code)
    return " ".join(dict.fromkeys(map(_fold_name, words)))


# A record repeats the names of few codes many times.
_fold_name = lru_cache(maxsize=4096)(fold)


def _own_words(concept: Concept) -> str | None:
    """The text, unless it only repeats a display: then the Vietnamese name says more."""
    text = concept.text
    if not text or not _is_name(text):
        return None
    plain = text.casefold().strip()
    if any(c.display and c.display.casefold().strip() == plain for c in concept.coding):
        return None
    return text.strip()


def _is_name(text: str) -> bool:
    plain = text.strip().casefold()
    return plain not in _NO_NAME and plain not in _TYPE_NAMES


def _code_and_system(concept: Concept) -> str | None:
    coding = next((c for c in concept.coding if c.code), None)
    if coding is None:
        return None
    if not coding.system:
        return coding.code
    where = urlsplit(coding.system)
    name = where.path.rstrip("/").rsplit("/", 1)[-1] or where.netloc or coding.system
    return f"{coding.code} ({name})"
