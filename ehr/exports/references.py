"""Kept documents made fit to leave: references by our ids, and no trace of what does not leave with them.

A reference to a row that is not among the exported ones is cut out, its display with it: a display can say
what a hidden row says. Doctors, facilities and places keep their name as text. Narratives are cut out: they
repeat whole resources (ehr-core.md §1.2), and somebody else's markup is never passed on (security.md S35).
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import UUID

import msgspec

from ehr import references
from ehr.exports.queries import KeptRow
from ehr.intake.compartment import DISPLAY_ONLY, OWNER_ELEMENT
from ehr.intake.ids import name_uuid
from ehr.references import our_id

# Elements that name who or where, whatever their target.
_WHO: Final = frozenset(
    [
        *("performer", "requester", "recorder", "asserter", "author", "authenticator", "custodian", "actor"),
        *("individual", "serviceProvider", "location", "manufacturer", "informationSource", "interpreter"),
        *("resultsInterpreter", "organization", "practitioner", "managingOrganization", "operator", "who"),
        *("onBehalfOf", "enterer", "source"),
    ]
)
# Elements that name another part of the record.
_WHAT: Final = frozenset(
    [
        *(
            "encounter",
            "context",
            "basedOn",
            "partOf",
            "hasMember",
            "derivedFrom",
            "result",
            "reasonReference",
        ),
        *("focus", "target", "condition", "imagingStudy", "media", "evidence", "related", "detail", "entry"),
        *("addresses", "goal", "supportingInfo", "priorPrescription", "specimen", "diagnosis", "reference"),
    ]
)
_NAMING: Final = _WHO | _WHAT
_TYPED: Final = re.compile(r"([A-Z][A-Za-z]+)[/?]")
_GONE: Final = object()
# A decimal leaves as it came: its zeros say how exact it is.
_decode: Final = msgspec.json.Decoder(
    dict[str, Any], float_hook=lambda text: msgspec.Raw(text.encode())
).decode


def urn_of(ident: str) -> str:
    """The one name of a resource in what leaves: fullUrl and reference alike."""
    try:
        return f"urn:uuid:{UUID(ident)}"
    except ValueError:
        return f"urn:uuid:{name_uuid(ident)}"


def referred_ids(row: KeptRow) -> set[str]:
    """Our ids of everything a kept document refers to."""
    return references.referred_ids(row.source_id, row.doc)


def names_of(rows: Iterable[KeptRow]) -> dict[str, str]:
    """Our ids of every spelling of a row's name → the row's id."""
    return {
        name: row.id
        for row in rows
        for name in references.names_of(row.rtype, row.id, row.source_id, row.doc)
    }


class Leaving:
    """The rows that leave together, and the person they are about. named: what a row is called where it
    goes; its last part is its id there."""

    def __init__(
        self,
        rows: Iterable[KeptRow],
        patient_urn: str,
        named: Callable[[str, str], str] = lambda _rtype, ident: urn_of(ident),
    ) -> None:
        self.patient_urn = patient_urn
        self._named = named
        self._ids = {
            name: named(row.rtype, row.id)
            for row in rows
            for name in references.names_of(row.rtype, row.id, row.source_id, row.doc)
        }

    def document(self, row: KeptRow) -> dict[str, Any]:
        """The resource as it leaves."""
        raw: dict[str, Any] = _decode(row.doc)
        cleaned = self._clean(raw, "", row.source_id)
        document: dict[str, Any] = cleaned if isinstance(cleaned, dict) else {}
        meta = {k: v for k, v in document.pop("meta", {}).items() if k not in ("versionId", "source")}
        document.pop("id", None)
        owner = OWNER_ELEMENT.get(row.rtype)
        if owner:
            document[owner] = {"reference": self.patient_urn}
        head = {"resourceType": row.rtype, "id": _last_part(self._named(row.rtype, row.id))}
        meta["lastUpdated"] = row.updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {**head, "meta": meta, **{k: v for k, v in document.items() if k != "resourceType"}}

    def _clean(self, value: Any, key: str, source_id: str) -> Any:
        if isinstance(value, list):
            kept = [found for inner in value if (found := self._clean(inner, key, source_id)) is not _GONE]
            return kept or _GONE
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("reference"), str) or _is_logical(value, key):
            return self._reference(value, key, source_id)
        return self._object(value, key, source_id)

    def _object(self, value: dict[str, Any], key: str, source_id: str) -> Any:
        cleaned: dict[str, Any] = {}
        for name, inner in value.items():
            if name == "text" and isinstance(inner, dict) and "div" in inner:
                continue
            # Most of a resource is words and numbers; they are not worth a call.
            found = self._clean(inner, name, source_id) if isinstance(inner, dict | list) else inner
            if found is not _GONE:
                cleaned[name] = found
        # A chapter of a document of which nothing leaves has no title either.
        if key == "section" and not ({"entry", "section"} & cleaned.keys()):
            return _GONE
        return cleaned or _GONE

    def _reference(self, value: dict[str, Any], key: str, source_id: str) -> Any:
        reference = value.get("reference") or ""
        if reference.startswith("#"):
            return value
        target = self._ids.get(our_id(source_id, reference)) if reference else None
        if target is not None:
            shown = {"display": value["display"]} if "display" in value else {}
            return {"reference": target, **shown}
        typed = _TYPED.search(reference)
        kind = typed[1] if typed else str(value.get("type") or "")
        if kind == "Patient" or key in ("subject", "patient"):
            return {"reference": self.patient_urn}
        if "display" in value and (kind in DISPLAY_ONLY or (not kind and key in _WHO)):
            return {"display": value["display"]}
        return _GONE


def _last_part(name: str) -> str:
    return re.split("[/#:]", name)[-1]


def _is_logical(value: dict[str, Any], key: str) -> bool:
    """A Reference without an address: an identifier or a name stands for the target."""
    if not value or not value.keys() <= {"identifier", "display", "type", "id"}:
        return False
    return key in _NAMING or key.endswith("Reference") or isinstance(value.get("type"), str)
