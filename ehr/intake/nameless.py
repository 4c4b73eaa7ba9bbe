"""What a kept document leaves out: who somebody is rests sealed in identity, not beside the diagnoses.

Without this, whoever reads the table has every number, name and phone in clear next to the record,
and the sealed fields and the keyed look-up keep nothing (security.md S15, S17).
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from ehr.intake.gate import judge_plain
from ehr.intake.ids import canonical
from ehr.intake.models import Item, PersonFacts
from ehr.intake.systems import PERSON_EXTENSIONS

# All that is kept of a document about a person.
_KEPT: Final[dict[str, frozenset[str]]] = {
    "Patient": frozenset(
        {
            *("resourceType", "id", "meta", "active", "extension"),
            *("gender", "deceasedBoolean", "deceasedDateTime"),
        }
    ),
    "RelatedPerson": frozenset({"resourceType", "id", "meta", "active", "patient", "relationship", "period"}),
}
# What goes of a document that has more to say: the number of the card.
_LEFT_OUT: Final[dict[str, frozenset[str]]] = {"Coverage": frozenset({"identifier", "subscriberId"})}
# Numbers of visits and files, which senders make of the person's own.
_NUMBERED: Final = frozenset({"identifier", "masterIdentifier"})
# Of a reference to the person; its display and identifier say the name and the number again.
_REFERENCE: Final = frozenset({"reference", "type"})


class _Typed(Struct, rename="camel"):
    resource_type: Any = None


class _Code(Struct):
    system: str = ""
    code: str = ""


class _Concept(Struct):
    coding: list[_Code] = []


class _Said(Struct, rename="camel"):
    url: str = ""
    value_codeable_concept: _Concept | None = None


_PERSON_URLS: Final = frozenset(url for url, _ in PERSON_EXTENSIONS.values())
_said = msgspec.json.Decoder(list[_Said])
_typed = msgspec.json.Decoder(list[_Typed])
_members = msgspec.json.Decoder(dict[str, Raw])
_elements = msgspec.json.Decoder(list[Raw])


class Own(Struct, frozen=True):
    """What of a unit names its person: spellings of the Patient's reference; each number as JSON has it,
    with what is written in its place; the name, empty where the unit says none."""

    references: frozenset[str]
    numbers: tuple[tuple[str, str], ...]
    name: str = ""

    def is_numbered_in(self, text: str) -> bool:
        for number, _ in self.numbers:  # noqa: SIM110 - asked of every resource, a generator costs more
            if number in text:
                return True
        return False

    def without_numbers(self, text: str) -> str:
        """The text with the name of its kind in the place of each number of the person."""
        for number, instead in self.numbers:
            text = text.replace(number, instead)
        return text


def own_of(person: PersonFacts, items: Iterable[Item]) -> Own:
    """What names the person of these items. A number that means something at one facility alone stays, and
    of a passport its number counts, with or without its country."""
    patients = [item for item in items if item.rtype == "Patient"]
    found: dict[str, str] = {
        value.rpartition("|")[2]: kind for kind, value in person.identifiers if kind != "facility-patient-id"
    }
    if person.mother_number:
        found.setdefault(person.mother_number, "mother")
    # A card's number holds the shorter one of the insured.
    longest_first = sorted(found.items(), key=lambda one: (-len(one[0]), one[0]))
    return Own(
        frozenset(canonical(alias) for item in patients for alias in (item.key, *item.aliases)),
        tuple((number, f"[{kind}]") for number, kind in longest_first),
        person.name or "",
    )


def unit_name(person: PersonFacts, key: str) -> str:
    """What the rows of a unit are found by: without the person's numbers; of a key that tells, its digest."""
    name = own_of(person, ()).without_numbers(key)
    return name if judge_plain(name) == "keep" else hashlib.sha256(name.encode()).hexdigest()


def nameless(item: Item, own: Own) -> bytes:
    """The item's document as it is kept; every value that stays keeps its bytes."""
    kept = item.rtype in _KEPT or item.rtype in _LEFT_OUT
    return _resource(item.rtype, item.raw, own) if kept or _tells(item.raw, own) else item.raw.encode()


def _tells(raw: str, own: Own) -> bool:
    """Whether a document must be taken apart; most say nothing of whose they are but the reference."""
    return '"text":{' in raw or '"contained":' in raw or _says_more(raw, own)


def _says_more(raw: str, own: Own) -> bool:
    """Whether a number of the person may stand in it, or a reference that is more than the reference."""
    if own.is_numbered_in(raw) or ("\\" in raw and ("\\u" in raw or "\\/" in raw)):
        return True
    for one in own.references:  # noqa: SIM110 - as above
        if one in raw and raw.count(one) != raw.count(_alone(one)):
            return True
    return False


@lru_cache(maxsize=1000)
def _alone(reference: str) -> str:
    """A reference that says nothing else, as compact JSON has it."""
    return f'{{"reference":"{reference}"}}'


def _resource(rtype: str, raw: str, own: Own) -> bytes:
    kept, left_out = _KEPT.get(rtype), _LEFT_OUT.get(rtype, frozenset())
    members = {
        name: _member(name, value, own)
        for name, value in _members.decode(raw).items()
        if (kept is None or name in kept) and name not in left_out and not _is_narrative(name, value)
    }
    if kept is not None and "extension" in members:
        members["extension"] = _known_extensions(members["extension"])
    return msgspec.json.encode(members)


def _known_extensions(value: Raw) -> Raw:
    """Of what is said about a person only nationality, ethnic group and occupation, as codes."""
    kept = [
        {"url": one.url, "valueCodeableConcept": {"coding": one.value_codeable_concept.coding}}
        for one in _said.decode(value)
        if one.url in _PERSON_URLS and one.value_codeable_concept is not None
    ]
    return Raw(msgspec.json.encode(kept))


def _is_narrative(name: str, value: Raw) -> bool:
    """Narratives are never rendered (security.md S35) and say name and number once more."""
    return name == "text" and bytes(value).startswith(b"{")


def _member(name: str, value: Raw, own: Own) -> Raw:
    text = bytes(value).decode()
    if name == "contained":
        return _contained(value, own)
    if name in _NUMBERED:
        text = own.without_numbers(text)
    return Raw(_value(text, own).encode())


def _contained(value: Raw, own: Own) -> Raw:
    types = [str(one.resource_type) for one in _typed.decode(value)]
    inside = [bytes(one).decode() for one in _elements.decode(value)]
    cleaned = [Raw(_resource(rtype, raw, own)) for rtype, raw in zip(types, inside, strict=True)]
    return Raw(msgspec.json.encode(cleaned))


def _value(text: str, own: Own) -> str:
    """A value without what stands beside references to the person."""
    if text[0] not in "{[" or not _says_more(text, own):
        return text
    if text[0] == "[":
        listed = [Raw(_value(bytes(one).decode(), own).encode()) for one in _elements.decode(text)]
        return msgspec.json.encode(listed).decode()
    members = _members.decode(text)
    if _is_own(members.get("reference"), own) or _is_logical(members.get("identifier"), own):
        members = {name: value for name, value in members.items() if name in _REFERENCE}
    made = {name: Raw(_value(bytes(value).decode(), own).encode()) for name, value in members.items()}
    return msgspec.json.encode(made).decode()


def _is_own(reference: Raw | None, own: Own) -> bool:
    if reference is None or not bytes(reference).startswith(b'"'):
        return False
    return canonical(msgspec.json.decode(reference, type=str)) in own.references


def _is_logical(identifier: Raw | None, own: Own) -> bool:
    """Whether it is the identifier of a reference (a resource lists its own), with a number of the person."""
    text = "" if identifier is None else bytes(identifier).decode()
    return text.startswith("{") and own.is_numbered_in(text)
