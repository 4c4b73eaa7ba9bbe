"""Scopes of SMART App Launch 2.2 for a person's own data, in the grammar of version 2 and of version 1.

    patient/Observation.rs?category=laboratory     v2: c r u d s in this order, and criteria
    patient/Observation.read                       v1: read, write or *
    patient/*.rs                                   every kind of entry
    launch/patient offline_access                  which book, and a refresh token

This service is read only: of c r u d s it grants r and s, of write nothing. `user/` and `system/` are no
person's to give. `openid`, `fhirUser` and `profile` are not offered: what an identity provider said about a
person may not be handed on, nor serve anybody else as a sign-in (vietnam.md §8). What is not offered is left
out of what is granted and refuses nothing, as RFC 6749 §3.3 lets a server do.
"""

import re
from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import parse_qsl

from msgspec import Struct

from ehr.intake.systems import OBSERVATION_CATEGORY
from kernel.access import RECORD_TYPES, RecordType

SCOPE_MAX: Final = 4000
SCOPES_MAX: Final = 100
LAUNCH: Final = "launch/patient"
OFFLINE: Final = "offline_access"
# Who the person is (Patient). No part of the record, so no RecordType; the person ticks it like one.
WHO: Final = "Patient"
OBSERVATION: Final = "Observation"
Item = Literal["Patient"] | RecordType
# Our own words for Observations that have no category in FHIR.
RECORD_TYPE_SYSTEM: Final = "urn:vn:so-suc-khoe:record-type"
# What entries point at: who, where, which product. It has no box of its own and comes with the entries.
COMPANIONS: Final = frozenset(
    {"Binary", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole", "Provenance"}
)

_OBSERVATIONS: Final[frozenset[Item]] = frozenset(
    kind for kind in RECORD_TYPES if kind.startswith("Observation.")
)
_PLAIN: Final[dict[str, frozenset[Item]]] = {
    one: frozenset({one}) for one in RECORD_TYPES if "." not in one and one != "Other"
}
BY_RESOURCE: Final[dict[str, frozenset[Item]]] = {
    **_PLAIN,
    OBSERVATION: _OBSERVATIONS,
    WHO: frozenset({WHO}),
}
ITEMS: Final[frozenset[Item]] = frozenset().union(*BY_RESOURCE.values())
_CATEGORIES: Final[dict[str, Item]] = {
    "laboratory": "Observation.laboratory",
    "vital-signs": "Observation.vital-signs",
}
_OWN: Final[dict[str, Item]] = {one.partition(".")[2]: one for one in _OBSERVATIONS}

_SCOPE = re.compile(
    r"patient/(?P<resource>\*|[A-Z][A-Za-z]{1,40})\.(?P<permission>read|write|\*|c?r?u?d?s?)(?:\?(?P<query>[!-~]{1,300}))?\Z"
)
_WORD = re.compile(r"[!#-\[\]-~]{1,400}\Z")


class Asked(Struct, frozen=True):
    """One scope that can be granted. scope: as it was asked for. whole: nothing beyond reading was asked for
    and nothing unknown, so that it is granted in its own words if every item is. permission: of `rs`."""

    scope: str
    resource: str
    permission: str
    items: frozenset[Item]
    whole: bool


class Wanted(Struct, frozen=True):
    """What an app asks for. items: what stands on the page, in the order of the record's kinds."""

    asked: tuple[Asked, ...]
    launch: bool
    offline: bool

    @property
    def items(self) -> frozenset[Item]:
        return frozenset().union(*(one.items for one in self.asked))


def read_scopes(text: str) -> Wanted | None:
    """What a `scope` parameter asks for; None: it is malformed, or names nothing that is offered."""
    words = text.split(" ") if text else []
    if len(text) > SCOPE_MAX or len(words) > SCOPES_MAX or not all(_WORD.match(word) for word in words):
        return None
    asked = tuple(one for one in map(_read, dict.fromkeys(words)) if one is not None)
    if not any(one.items for one in asked):
        return None
    return Wanted(asked, LAUNCH in words, OFFLINE in words)


def granted_scopes(wanted: Wanted, items: Iterable[Item]) -> list[str]:
    """The `scope` of an answer: each scope that was granted whole in its own words, of others what is left of
    them in the grammar of version 2."""
    ticked = frozenset(items) & wanted.items
    found: dict[str, None] = {}
    if not ticked:
        return []
    if wanted.launch:
        found[LAUNCH] = None
    for one in wanted.asked:
        left = one.items & ticked
        if one.whole and left == one.items:
            found[one.scope] = None
        else:
            found |= dict.fromkeys(_written(one, left))
    if wanted.offline:
        found[OFFLINE] = None
    return list(found)


def capped(scope: str, most: Iterable[str]) -> str:
    """What is left of a token's scope under what the register lets its client ask for now."""
    wanted, allowed = read_scopes(scope), read_scopes(" ".join(most))
    if wanted is None or allowed is None:
        return ""
    return scope if wanted.items <= allowed.items else " ".join(granted_scopes(wanted, allowed.items))


def record_types(items: Iterable[Item]) -> frozenset[RecordType]:
    """The kinds of entries among the items."""
    return frozenset(one for one in items if one != WHO)


def _read(word: str) -> Asked | None:
    match = _SCOPE.match(word)
    if match is None or not match["permission"]:
        return None
    permission = _permission(match["permission"])
    items = _items(match["resource"], match["query"])
    if not permission or items is None:
        return None
    whole = match["permission"] in ("r", "s", "rs", "read")
    return Asked(word, match["resource"], permission, items, whole)


def _permission(text: str) -> str:
    """What of it is reading."""
    if text in ("read", "*"):
        return "rs"
    return "" if text == "write" else "".join(letter for letter in "rs" if letter in text)


def _items(resource: str, query: str | None) -> frozenset[Item] | None:
    """None: nothing that is offered. A criterion that is not known narrows to nothing, never to all."""
    if resource == "*":
        return ITEMS if query is None else None
    if resource in COMPANIONS:
        return frozenset() if query is None else None
    if resource not in BY_RESOURCE:
        return None
    if query is None:
        return BY_RESOURCE[resource]
    if resource != OBSERVATION:
        return None
    return _categories(query)


def kind_of_category(token: str) -> RecordType | None:
    """Our kind of Observations that a category `system|code` or `code` stands for; None of every other."""
    item = _category(token)
    return None if item is None or item == WHO else item


def _categories(query: str) -> frozenset[Item] | None:
    """`category=system|code`, several by comma; a second criterion would be an AND, which is not kept."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != "category":
        return None
    found = {_category(token) for token in pairs[0][1].split(",")}
    return None if None in found else frozenset(one for one in found if one is not None)


def _category(token: str) -> Item | None:
    system, bar, code = token.rpartition("|")
    if not bar or system == OBSERVATION_CATEGORY:
        return _CATEGORIES.get(code)
    return _OWN.get(code) if system == RECORD_TYPE_SYSTEM else None


def _written(one: Asked, left: frozenset[Item]) -> list[str]:
    """What is left of a scope, kind by kind."""
    if one.resource in COMPANIONS:
        return [f"patient/{one.resource}.{one.permission}"]
    observed = left & _OBSERVATIONS
    names: set[str] = set(left - _OBSERVATIONS)
    if one.resource == "*":
        names |= COMPANIONS
    if observed == _OBSERVATIONS:
        names.add("Observation")
        observed = frozenset()
    narrowed = (f"Observation.{one.permission}?category={_token(kind)}" for kind in observed)
    return sorted(f"patient/{word}" for word in (*(f"{name}.{one.permission}" for name in names), *narrowed))


def _token(item: Item) -> str:
    code = item.partition(".")[2]
    system = OBSERVATION_CATEGORY if code in _CATEGORIES else RECORD_TYPE_SYSTEM
    return f"{system}|{code}"
