"""Kept documents as an app gets them: ids of its own, and inside each what it points at."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ehr.exports.queries import KeptRow
from ehr.exports.references import Leaving
from partners.fhir.aliases import Aliases
from partners.fhir.kinds import CONTAINED, PATIENT
from partners.fhir.queries import EntryRow

# What one app calls a person, as an identifier: no number of the person leaves here.
SUBJECT_SYSTEM: Final = "urn:vn:so-suc-khoe:app-subject"
_DEPTH_MAX: Final = 60
# Parts that are nothing without the reference that they exist for: where it was cut out they go with it, for
# what is left (a role, a rank) would tell that there is something.
_STANDS_ON: Final[dict[str, dict[str, str]]] = {
    "Encounter": {"diagnosis": "condition", "location": "location"},
    "Procedure": {"performer": "actor", "focalDevice": "manipulated"},
    "Immunization": {"performer": "actor"},
    "DiagnosticReport": {"media": "link"},
    "DocumentReference": {"relatesTo": "target"},
    "ImagingStudy": {"performer": "actor"},
}


class Documents:
    """subject: what the app calls the person. rows: those that leave; named: all that they point at."""

    def __init__(
        self, aliases: Aliases, subject: str, rows: Iterable[EntryRow], named: Iterable[EntryRow]
    ) -> None:
        self._aliases = aliases
        everything = [_kept(row) for row in (*rows, *named)]
        self._leaving = Leaving(everything, f"{PATIENT}/{subject}", self._name)
        self._inside = {self._name(row.rtype, row.id): row for row in everything if row.rtype in CONTAINED}
        self.used: set[tuple[str, str]] = set()

    def _name(self, rtype: str, ident: str) -> str:
        alias = self._aliases.alias(ident)
        return f"#{alias}" if rtype in CONTAINED else f"{rtype}/{alias}"

    def document(self, row: EntryRow) -> dict[str, Any]:
        """The resource as it leaves, with doctors, places and products contained."""
        made = _dated(_whole(_without_addresses(self._leaving.document(_kept(row)))))
        contained: dict[str, dict[str, Any]] = {}
        waiting = sorted(self._inside.keys() & set(_local_names(made)))
        while waiting:
            name = waiting.pop(0)
            if name in contained:
                continue
            inner = _without_addresses(self._leaving.document(self._inside[name]))
            # A contained resource has neither versions nor resources of its own (dom-2, dom-4).
            contained[name] = {key: value for key, value in inner.items() if key not in ("meta", "contained")}
            self.used.add((self._inside[name].rtype, self._inside[name].id))
            waiting += sorted(self._inside.keys() & set(_local_names(inner)))
        if contained:
            made["contained"] = [*made.get("contained", ()), *contained.values()]
        return made


def patient_document(
    subject: str, name: str | None, birth_date: str | None, sex: str | None
) -> dict[str, Any]:
    """Who the person is, by what the app calls them; what is not known says so where IPA asks for it."""
    absent = {
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
        ]
    }
    return {
        "resourceType": PATIENT,
        "id": subject,
        "meta": {"profile": ["http://hl7.org/fhir/uv/ipa/StructureDefinition/ipa-patient"]},
        "identifier": [{"system": SUBJECT_SYSTEM, "value": subject}],
        "active": True,
        "name": [{"text": name} if name else {"_text": absent}],
        "gender": sex or "unknown",
        **({"birthDate": birth_date} if birth_date else {"_birthDate": absent}),
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


def _whole(document: dict[str, Any]) -> dict[str, Any]:
    for part, stands_on in _STANDS_ON.get(document["resourceType"], {}).items():
        found = document.get(part)
        if isinstance(found, list):
            left = [one for one in found if isinstance(one, dict) and stands_on in one]
            document |= {part: left}
            if not left:
                del document[part]
    return document


def _dated(document: dict[str, Any]) -> dict[str, Any]:
    """A document's date is an instant in R4. Of a paper only the day is known, or the year: it stands where
    FHIR has room for it, and no hour is made up."""
    day = document.get("date")
    if document["resourceType"] != "DocumentReference" or not isinstance(day, str) or "T" in day:
        return document
    context = document.get("context")
    known = context if isinstance(context, dict) else {}
    kept = {name: value for name, value in document.items() if name != "date"}
    return kept | {"context": {"period": {"start": day}} | known}


def _without_addresses(document: dict[str, Any]) -> dict[str, Any]:
    """Attachments keep what they carry; addresses lead to other systems, or name files of ours."""
    lists = [document.get("presentedForm"), document.get("photo")]
    attachments = [one for found in lists if isinstance(found, list) for one in found]
    content = document.get("content")
    if isinstance(content, list):
        attachments += [one.get("attachment") for one in content if isinstance(one, dict)]
    for attachment in attachments:
        if isinstance(attachment, dict):
            attachment.pop("url", None)
    return document


def is_person(text: str, subject: str, base: str) -> bool:
    """Whether a `patient` parameter names the person: an id, `Patient/id` or our own address of it."""
    return text in (subject, f"{PATIENT}/{subject}", f"{base}/{PATIENT}/{subject}")


def is_identifier(text: str, subject: str) -> bool:
    return text in (subject, f"{SUBJECT_SYSTEM}|{subject}")
