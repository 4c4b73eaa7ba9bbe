"""Kept documents as an app gets them: ids of its own, and inside each what it points at."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ehr.exports.queries import KeptRow
from ehr.exports.references import COMPANIONS, Leaving
from partners.fhir.aliases import Aliases
from partners.fhir.kinds import PATIENT
from partners.fhir.queries import EntryRow

# What one app calls a person, as an identifier: no number of the person leaves here.
SUBJECT_SYSTEM: Final = "urn:vn:so-suc-khoe:app-subject"
_DEPTH_MAX: Final = 60


_EXTENSIONS: Final = frozenset({"extension", "modifierExtension"})
ABSENT: Final = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}


class Documents:
    """subject: what the app calls the person. rows: those that leave; named: all that they point at."""

    def __init__(
        self, aliases: Aliases, subject: str, rows: Iterable[EntryRow], named: Iterable[EntryRow]
    ) -> None:
        self._aliases = aliases
        everything = [_kept(row) for row in (*rows, *named)]
        self._leaving = Leaving(everything, f"{PATIENT}/{subject}", self._name, holds=COMPANIONS)
        self._inside = {self._name(row.rtype, row.id): row for row in everything if row.rtype in COMPANIONS}
        self.used: set[tuple[str, str]] = set()

    def _name(self, rtype: str, ident: str) -> str:
        alias = self._aliases.alias(ident)
        return f"#{alias}" if rtype in COMPANIONS else f"{rtype}/{alias}"

    def document(self, row: EntryRow) -> dict[str, Any]:
        """The resource as it leaves, with doctors, places and products contained."""
        made: dict[str, Any] = _without_addresses(self._leaving.document(_kept(row)))
        contained: dict[str, dict[str, Any]] = {}
        waiting = sorted(self._inside.keys() & set(_local_names(made)))
        while waiting:
            name = waiting.pop(0)
            if name in contained:
                continue
            # A contained resource has neither versions nor resources of its own (dom-2, dom-4).
            inner = _without_addresses(self._leaving.document(self._inside[name], is_inside=True))
            contained[name] = {key: value for key, value in inner.items() if key != "meta"}
            self.used.add((self._inside[name].rtype, self._inside[name].id))
            waiting += sorted(self._inside.keys() & set(_local_names(inner)))
        if contained:
            made["contained"] = [*made.get("contained", ()), *contained.values()]
        return made


def patient_document(
    subject: str, name: str | None, birth_date: str | None, sex: str | None
) -> dict[str, Any]:
    """Who the person is, by what the app calls them; what is not known says so where IPA asks for it."""
    return {
        "resourceType": PATIENT,
        "id": subject,
        "meta": {"profile": ["http://hl7.org/fhir/uv/ipa/StructureDefinition/ipa-patient"]},
        "identifier": [{"system": SUBJECT_SYSTEM, "value": subject}],
        "active": True,
        "name": [{"text": name} if name else {"_text": ABSENT}],
        "gender": sex or "unknown",
        **({"birthDate": birth_date} if birth_date else {"_birthDate": ABSENT}),
    }


def _kept(row: EntryRow) -> KeptRow:
    return KeptRow(row.rtype, row.id, row.source_id, row.section, row.updated, row.doc)


def _local_names(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, list):
        for one in value:
            yield from _local_names(one, depth + 1)
    elif isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str) and reference.startswith("#"):
            yield reference
        for one in value.values():
            if isinstance(one, list | dict):
                yield from _local_names(one, depth + 1)


def _without_addresses(value: Any) -> Any:
    """Attachments keep what they carry, wherever they stand; addresses lead to other systems, or name files
    of ours. An extension is named by its `url`, and one whose value is an address is nothing without it."""
    if isinstance(value, list):
        found = [_without_addresses(one) for one in value]
        return [one for one in found if one != {}]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for name, inner in value.items():
        if name == "url":
            continue
        left = _extensions(inner) if name in _EXTENSIONS else _without_addresses(inner)
        if name == "attachment" and left == {}:
            # A document has to say that it has a content.
            left = ABSENT
        if left not in ([], {}):
            made[name] = left
    return made


def _extensions(value: Any) -> list[Any]:
    found = []
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict) and "valueUrl" not in one:
            left = _without_addresses(one)
            if left.keys() - {"id"}:
                found.append({"url": one.get("url"), **left})
    return found


def is_person(text: str, subject: str, base: str) -> bool:
    """Whether a `patient` parameter names the person: an id, `Patient/id` or our own address of it."""
    return text in (subject, f"{PATIENT}/{subject}", f"{base}/{PATIENT}/{subject}")


def is_identifier(text: str, subject: str) -> bool:
    return text in (subject, f"{SUBJECT_SYSTEM}|{subject}")
