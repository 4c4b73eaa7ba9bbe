"""What stands out among active medicines. Pure: lines and loaded tables in, findings out.

Nothing is known here of any medicine: names come from the record, what they stand for and which pairs matter
from tables that an operator loads. A name that no table knows is compared as it is written, and is unchecked.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.intake import systems
from ehr.medicine_safety.models import SEVERITIES, FindingKind, Found, Line, Name, Pair
from kernel.text import fold

KEY_HEX: Final = 32
# A shorter name stands in too many words to mean anything.
NAME_MIN: Final = 4
WORDS_OF_A_NAME: Final = 6
LIKE_WORDS_MAX: Final = 40

_UNIT: Final = "mg|mcg|µg|μg|ug|g|kg|ml|l|iu|ui|dvqt|meq|mmol|%"
_NUMBER: Final = r"\d+(?:[.,]\d+)*"
_STRENGTH: Final = re.compile(rf"{_NUMBER}\s*(?:{_UNIT})?(?:\s*/\s*(?:{_NUMBER})?\s*(?:{_UNIT})\b)?")
# Stands in no name that is compared.
_CODE_MARK: Final = "|"
_INSIDE: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_APART: Final = re.compile(r"[+,;/&]|\bva\b|\band\b")
_NO_WORD: Final = re.compile(r"[^0-9a-z\-' ]+")
# Words that say what form a medicine has, and what stands before the name of an allergen: never a name.
_FORMS: Final = frozenset(json.loads(Path(__file__).with_name("words.json").read_text("utf-8"))["words"])
# Systems whose codes name one medicine or its ingredient, whoever writes them.
_DRUG_SYSTEMS: Final = frozenset({systems.DRUG, systems.DRUG_REGISTRATION})


class Tables(Struct, frozen=True, kw_only=True):
    """The part of the loaded tables that names what is compared. known: ingredients of the pairs, folded, and
    as the file writes them."""

    names: Mapping[str, tuple[Name, ...]]
    known: Mapping[str, str]
    pairs: tuple[Pair, ...]


NO_TABLES: Final = Tables(names={}, known={}, pairs=())


class Meaning(Struct, frozen=True, kw_only=True):
    """What a line stands for. ingredients: of the tables, folded → as written; plain: parts of the name that
    are compared letter by letter; recognised: whether the tables know every part."""

    ingredients: Mapping[str, str]
    plain: Mapping[str, str]
    recognised: bool

    @property
    def keys(self) -> Mapping[str, str]:
        """What is compared: what the tables say first."""
        return {**self.plain, **self.ingredients}


def parts_of(text: str) -> list[list[str]]:
    """The names in a text, without strengths and forms: outside brackets, and inside each."""
    inside = [found[0] or found[1] for found in _INSIDE.findall(text)]
    return [parts for one in (_INSIDE.sub(" ", text), *inside) if (parts := _split(one))]


def names_of(text: str) -> set[frozenset[str]]:
    """What a medicine is called, without strengths and forms: each name as the set of its parts, or the text
    itself where no name stands in it."""
    return {frozenset(parts) for parts in parts_of(text)} or {frozenset([fold(text)])}


def _split(text: str) -> list[str]:
    bare = _STRENGTH.sub(" ", fold(text))
    words = (_NO_WORD.sub(" ", part).split() for part in _APART.split(bare))
    named = (" ".join(word for word in part if word not in _FORMS) for part in words)
    return [name for name in named if len(name) >= NAME_MIN]


def candidates(line: Line) -> set[str]:
    """Everything in a line that a loaded table may know: runs of words of its names, and its codes."""
    found = {fold(code) for _, code in line.codes if code}
    for text in line.words:
        found.add(fold(text)[:300])
        for parts in parts_of(text):
            for part in parts:
                found |= set(_runs(part))
    return found


def _runs(part: str) -> Iterable[str]:
    words = part.split()[:LIKE_WORDS_MAX]
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + WORDS_OF_A_NAME) + 1):
            yield " ".join(words[start:end])


def meaning_of(line: Line, tables: Tables) -> Meaning:
    """What a line stands for, by the tables as far as they reach."""
    ingredients: dict[str, str] = {}
    whole = [fold(code) for _, code in line.codes if code] + [fold(text)[:300] for text in line.words]
    named_whole = _learn_all(whole, tables, ingredients)
    groups = [parts for text in line.words for parts in parts_of(text)]
    known = [[_learn_all(_runs(part), tables, ingredients) for part in parts] for parts in groups]
    plain = {part: part for parts in groups for part in parts}
    codes = [(system, code) for system, code in line.codes if system in _DRUG_SYSTEMS and code]
    return Meaning(
        ingredients=ingredients,
        plain=plain | {f"{system}{_CODE_MARK}{code}": line.title for system, code in codes},
        recognised=named_whole or any(all(parts) for parts in known),
    )


def _learn_all(texts: Iterable[str], tables: Tables, into: dict[str, str]) -> bool:
    """Take in what the tables know of these names; whether they know any."""
    known = [_learn(text, tables, into) for text in texts]
    return any(known)


def _learn(text: str, tables: Tables, into: dict[str, str]) -> bool:
    for name in tables.names.get(text, ()):
        into[name.ingredient] = name.ingredient_name
    if text in tables.known:
        into.setdefault(text, tables.known[text])
    return text in tables.names or text in tables.known


def find(medicines: list[Line], allergies: list[Line], tables: Tables) -> list[Found]:
    """Every finding: the worst first, and the same order for the same facts."""
    medicines = without_refilled(medicines)
    meant = {line.id: meaning_of(line, tables) for line in (*medicines, *allergies)}
    found = [
        *_allergies(medicines, allergies, meant),
        *_pairs(medicines, meant, tables),
        *_same(medicines, meant),
    ]
    return sorted(found, key=lambda one: (_rank(one), one.key))


def without_refilled(medicines: list[Line]) -> list[Line]:
    """Without older orders of a medicine that its facility ordered again on a later day, as the summary has
    one for them: those that say when they end still run beside it until then."""
    newest: dict[tuple[UUID, str], str] = {}
    for line in medicines:
        if line.facility_id and line.day:
            key = line.facility_id, fold(line.title)
            newest[key] = max(line.day, newest.get(key, ""))

    def is_refilled(line: Line) -> bool:
        if not (line.open_end and line.facility_id and line.day):
            return False
        return line.day < newest[line.facility_id, fold(line.title)]

    return [line for line in medicines if not is_refilled(line)]


def _rank(one: Found) -> int:
    if one.kind == "allergy":
        return 0
    return 1 + SEVERITIES.index(one.pair.severity) if one.pair else 1 + len(SEVERITIES)


def _same(medicines: list[Line], meant: Mapping[str, Meaning]) -> list[Found]:
    """One ingredient in lines that are not of one prescription; told once for the same lines."""
    holders: dict[str, list[Line]] = {}
    names: dict[str, str] = {}
    for line in medicines:
        for key, name in meant[line.id].keys.items():
            holders.setdefault(key, []).append(line)
            # The table's spelling, where one of the lines is known to it.
            names[key] = meant[line.id].ingredients.get(key) or names.get(key, name)
    found: dict[tuple[str, ...], Found] = {}
    named: set[tuple[str, ...]] = set()
    of_tables = {key for one in meant.values() for key in one.ingredients}
    for key in sorted(holders, key=lambda key: (key not in of_tables, key)):
        lines = holders[key]
        if all(is_one_prescription(one, other) for one, other in combinations(lines, 2)):
            continue
        made = _found("same-ingredient", (names[key],), lines)
        ids = tuple(line.id for line in made.medicines)
        found.setdefault(ids, made)
        named |= set() if _CODE_MARK in key else {ids}
    # A code that some of the lines have beside the name that all have tells nothing more.
    return [
        one for ids, one in found.items() if ids in named or not any(set(ids) < set(more) for more in found)
    ]


def is_one_prescription(one: Line, other: Line) -> bool:
    """Whether two lines are parts of one prescription, also where a visit and its prescription were sent by
    two ways. What a person declared belongs to none."""
    if one.self_declared or other.self_declared:
        return False
    if one.prescription and other.prescription:
        return one.prescription == other.prescription
    if one.fold is not None and one.fold == other.fold:
        return True
    if not one.prescription and not other.prescription:
        return one.encounter_id is not None and one.encounter_id == other.encounter_id
    same_place = one.facility_id is not None and one.facility_id == other.facility_id
    return same_place and one.day is not None and one.day == other.day


def _allergies(medicines: list[Line], allergies: list[Line], meant: Mapping[str, Meaning]) -> list[Found]:
    touched = _Names(medicines, meant)
    found = []
    for allergy in allergies:
        ids = touched.by(meant[allergy.id])
        hit = [line for line in medicines if line.id in ids] if ids else []
        if hit:
            shared = {
                name
                for line in hit
                for key, name in meant[line.id].ingredients.items()
                if key in meant[allergy.id].ingredients
            }
            found.append(_found("allergy", tuple(sorted(shared)) or (allergy.title,), hit, (allergy,)))
    return found


class _Names:
    """Medicines by their names and by the words in them: each allergen is looked up, not compared with each
    medicine, because a book may hold hundreds of both (security.md S33)."""

    def __init__(self, medicines: list[Line], meant: Mapping[str, Meaning]) -> None:
        self._whole: dict[str, set[str]] = {}
        self._inside: dict[str, set[str]] = {}
        for line in medicines:
            for key in meant[line.id].keys:
                self._whole.setdefault(key, set()).add(line.id)
                for run in {key, *_runs(key)}:
                    self._inside.setdefault(run, set()).add(line.id)

    def by(self, allergy: Meaning) -> set[str]:
        """Ids of the lines with an ingredient of the allergy, or where one name stands in the other, word
        for word."""
        found: set[str] = set()
        for name in allergy.ingredients:
            found |= self._whole.get(name, set())
        for one in allergy.plain:
            found |= self._inside.get(one, set())
            for run in _runs(one):
                found |= self._whole.get(run, set())
        return found


def _pairs(medicines: list[Line], meant: Mapping[str, Meaning], tables: Tables) -> list[Found]:
    found = []
    for pair in tables.pairs:
        first = [line for line in medicines if pair.a in meant[line.id].ingredients]
        second = [line for line in medicines if pair.b in meant[line.id].ingredients]
        if any(one.id != other.id for one in first for other in second):
            lines = {line.id: line for line in (*first, *second)}
            found.append(_found("pair", (pair.a_name, pair.b_name), list(lines.values()), pair=pair))
    return found


def _found(
    kind: FindingKind,
    ingredients: tuple[str, ...],
    medicines: list[Line],
    allergies: tuple[Line, ...] = (),
    pair: Pair | None = None,
) -> Found:
    """A finding with a key of its facts: the kind, each line in its version, and what a pair says."""
    lines = tuple(sorted(medicines, key=lambda line: (line.day or "", line.id)))
    facts = [kind, *(_fact(line) for line in (*lines, *allergies))]
    facts += [] if pair is None else [pair.a, pair.b, pair.severity, pair.words_vi, pair.words_en]
    facts += ingredients if kind == "same-ingredient" else ()
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:KEY_HEX]
    return Found(
        key=key,
        kind=kind,
        ingredients=ingredients,
        medicines=lines,
        allergies=allergies,
        pair=pair,
    )


def _fact(line: Line) -> str:
    return f"{line.rtype}/{line.id}/{line.version}"
