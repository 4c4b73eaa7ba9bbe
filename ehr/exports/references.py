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
from msgspec import Struct
from msgspec.structs import replace

from ehr import references
from ehr.exports.queries import KeptRow
from ehr.intake.compartment import DISPLAY_ONLY, OWNER_ELEMENT
from ehr.intake.ids import name_uuid
from ehr.references import our_id
from kernel.access import Access

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
# Who, where and which product: what a document that somebody else gets may hold inside itself.
COMPANIONS: Final = frozenset(["Location", "Medication", "Organization", "Practitioner", "PractitionerRole"])
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


def held_inside(access: Access) -> frozenset[str] | None:
    """What a document may hold inside itself for this reader: everything where the reader may see everything,
    else what tells of nothing that could be hidden from them."""
    sees_all = access.types is None and access.since is None and access.until is None
    return None if sees_all and not access.withheld_labels else COMPANIONS


class _Around(Struct, frozen=True):
    """The document that a part stands in: its sender, the types that may stand inside it, and the names of
    what does."""

    source_id: str
    holds: frozenset[str] | None
    inside: frozenset[str]

    def may_hold(self, value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        rtype = value.get("resourceType")
        return self.holds is None or (isinstance(rtype, str) and rtype in self.holds)


class Leaving:
    """The rows that leave together, and the person they are about. named: what a row is called where it
    goes; its last part is its id there. holds: the types that may stand inside a document, None for all: a
    copy of an entry that the reader may not see has no row that could be withheld, so for whoever does not
    see everything it is cut out, and every reference to it."""

    def __init__(
        self,
        rows: Iterable[KeptRow],
        patient_urn: str,
        named: Callable[[str, str], str] = lambda _rtype, ident: urn_of(ident),
        *,
        holds: frozenset[str] | None = None,
    ) -> None:
        self.patient_urn = patient_urn
        self._named = named
        self._holds = holds
        self._ids = {
            name: named(row.rtype, row.id)
            for row in rows
            for name in references.names_of(row.rtype, row.id, row.source_id, row.doc)
        }

    def document(self, row: KeptRow, *, is_inside: bool = False) -> dict[str, Any]:
        """The resource as it leaves. is_inside: it is to stand in another one, and so holds none itself."""
        raw: dict[str, Any] = _decode(row.doc)
        cleaned = self._clean(raw, "", _around(row.source_id, raw, frozenset() if is_inside else self._holds))
        document: dict[str, Any] = cleaned if isinstance(cleaned, dict) else {}
        meta = {k: v for k, v in document.pop("meta", {}).items() if k not in ("versionId", "source")}
        document.pop("id", None)
        owner = OWNER_ELEMENT.get(row.rtype)
        if owner:
            document[owner] = {"reference": self.patient_urn}
        head = {"resourceType": row.rtype, "id": _last_part(self._named(row.rtype, row.id))}
        meta["lastUpdated"] = row.updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        made = {**head, "meta": meta, **{k: v for k, v in document.items() if k != "resourceType"}}
        return _dated(_whole(made))

    def _clean(self, value: Any, key: str, around: _Around) -> Any:
        if isinstance(value, list):
            kept = [found for inner in value if (found := self._clean(inner, key, around)) is not _GONE]
            return kept or _GONE
        if key == "contained" and not around.may_hold(value):
            return _GONE
        if not isinstance(value, dict):
            return value
        if key and "resourceType" in value and not around.may_hold(value):
            return _GONE
        if isinstance(value.get("reference"), str) or _is_logical(value, key):
            return self._reference(value, key, around)
        return self._object(value, key, around)

    def _object(self, value: dict[str, Any], key: str, around: _Around) -> Any:
        cleaned: dict[str, Any] = {}
        for name, inner in value.items():
            if name == "text" and isinstance(inner, dict) and "div" in inner:
                continue
            # Most of a resource is words and numbers; they are not worth a call.
            is_part = isinstance(inner, dict | list) or name == "contained"
            found = self._clean(inner, name, around) if is_part else inner
            if found is not _GONE:
                cleaned[name] = found
        # A chapter of a document of which nothing leaves has no title either.
        if key == "section" and not ({"entry", "section"} & cleaned.keys()):
            return _GONE
        return cleaned or _GONE

    def _reference(self, value: dict[str, Any], key: str, around: _Around) -> Any:
        reference = value.get("reference") or ""
        shown = {"display": value["display"]} if "display" in value else {}
        if reference.startswith("#"):
            return {"reference": reference, **shown} if reference in around.inside else _GONE
        target = self._ids.get(our_id(around.source_id, reference)) if reference else None
        if target is not None:
            return {"reference": target, **shown}
        typed = _TYPED.search(reference)
        kind = typed[1] if typed else str(value.get("type") or "")
        if kind == "Patient" or key in ("subject", "patient"):
            return {"reference": self.patient_urn}
        if "display" in value and (kind in DISPLAY_ONLY or (not kind and key in _WHO)):
            return {"display": value["display"]}
        return _GONE


def _around(source_id: str, raw: dict[str, Any], holds: frozenset[str] | None) -> _Around:
    inside = raw.get("contained")
    around = _Around(source_id, holds, frozenset())
    kept = (
        [one["id"] for one in inside if around.may_hold(one) and "id" in one]
        if isinstance(inside, list)
        else []
    )
    # The mark alone names the document itself.
    return replace(around, inside=frozenset(f"#{ident}" for ident in kept) | {"#"})


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


def _last_part(name: str) -> str:
    return re.split("[/#:]", name)[-1]


def _is_logical(value: dict[str, Any], key: str) -> bool:
    """A Reference without an address: an identifier or a name stands for the target."""
    if not value or not value.keys() <= {"identifier", "display", "type", "id"}:
        return False
    return key in _NAMING or key.endswith("Reference") or isinstance(value.get("type"), str)
