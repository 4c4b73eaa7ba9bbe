"""FHIR R4 Bundles: one Bundle is one unit about one person (transaction, batch, document, collection)."""

import codecs
import hashlib
import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from ehr.intake.bundle_person import person_of
from ehr.intake.compartment import DISPLAY_ONLY, NOT_KEPT, OWNER_ELEMENT, SUPPORTING
from ehr.intake.ids import canonical
from ehr.intake.json_text import compact_object, decode_utf8, read_object
from ehr.intake.models import BadInputError, Item, Reason, Unit, reject
from ehr.intake.sieve import NOTHING, sift
from ehr.intake.survey import Survey, survey

BUNDLE_BYTES_MAX = 64 * 1024 * 1024
ENTRIES_MAX = 50_000
RESOURCE_BYTES_MAX = 4 * 1024 * 1024
REASONS_MAX = 50


class _Request(Struct):
    method: str
    url: str
    if_none_exist: str | None = msgspec.field(default=None, name="ifNoneExist")
    if_match: str | None = msgspec.field(default=None, name="ifMatch")
    if_none_match: str | None = msgspec.field(default=None, name="ifNoneMatch")
    if_modified_since: str | None = msgspec.field(default=None, name="ifModifiedSince")

    @property
    def conditions(self) -> tuple[str | None, ...]:
        return self.if_none_exist, self.if_match, self.if_none_match, self.if_modified_since


class _Entry(Struct):
    resource: Raw = Raw()
    full_url: str | None = msgspec.field(default=None, name="fullUrl")
    request: _Request | None = None


class _Identifier(Struct):
    system: str = ""
    value: str = ""


class _Bundle(Struct):
    resource_type: Literal["Bundle"] = msgspec.field(name="resourceType")
    type: Literal["transaction", "batch", "document", "collection"]
    entry: list[_Entry] = []
    id: str | None = None
    identifier: _Identifier | None = None


_BUNDLE = msgspec.json.Decoder(_Bundle)


# Enough of a resource to find it quickly.
_HEAD_BYTES = 64
_FHIR_ID = re.compile(r"(?=[._-]{0,63}[A-Za-z0-9])[A-Za-z0-9._-]{1,64}")


class Parsed(Struct):
    """A Bundle's unit with the survey of each item, in the order of the entries."""

    unit: Unit
    surveys: list[Survey]
    not_kept: dict[str, int]


def read_bundle(data: bytes, name: str) -> Parsed:
    """Take one Bundle apart. Raises BadInputError with every place that is wrong."""
    if len(data) > BUNDLE_BYTES_MAX:
        raise reject("too-large", "Bundle")
    decode_utf8(data, "Bundle")
    text = data.removeprefix(codecs.BOM_UTF8)
    bundle = _decode(text)
    if not bundle.entry or len(bundle.entry) > ENTRIES_MAX:
        raise reject("too-large" if bundle.entry else "no-entry", "Bundle.entry")
    _check_envelope(text, bundle)
    reasons: list[Reason] = []
    items: list[Item] = []
    not_kept: dict[str, int] = {}
    for index, entry in enumerate(bundle.entry):
        try:
            item = _read_entry(bundle, entry, f"entry[{index}]")
        except BadInputError as error:
            reasons += error.reasons
            continue
        if item.rtype in NOT_KEPT:
            not_kept[item.rtype] = not_kept.get(item.rtype, 0) + 1
        else:
            items.append(item)
    sifted = sift([item.raw for item in items])
    surveys = [
        survey(item.doc, item.where) if tells else NOTHING
        for item, tells in zip(items, sifted.telling, strict=True)
    ]
    reasons += [reason for found in surveys for reason in found.reasons]
    if not reasons:
        reasons = _check_belonging(items, sifted.references)
    if reasons:
        raise BadInputError(reasons[:REASONS_MAX])
    return Parsed(_unit(bundle, items, name), surveys, not_kept)


def _decode(text: bytes) -> _Bundle:
    try:
        return _BUNDLE.decode(text)
    except msgspec.ValidationError as error:
        raise reject("bad-bundle", _place(str(error))) from None
    except RecursionError:
        raise reject("too-deep", "Bundle") from None
    except (msgspec.DecodeError, UnicodeError):
        raise reject("bad-json", "Bundle") from None


def _place(message: str) -> str:
    """`… - at `$.entry[0].request`` → `Bundle.entry[0].request`; the message itself may hold values."""
    _, found, path = message.rpartition("`$")
    return "Bundle" + path.rstrip("`") if found else "Bundle"


def _check_envelope(text: bytes, bundle: _Bundle) -> None:
    """The Bundle's own keys and requests: duplicates and bad text, with the resources cut out."""
    rest: list[bytes] = []
    position = 0
    for entry in bundle.entry:
        raw = bytes(entry.resource)
        if not raw:
            continue
        found = text.index(raw[:_HEAD_BYTES], position)
        if not text.startswith(raw, found):
            found = text.index(raw, position)
        rest += (text[position:found], b"0")
        position = found + len(raw)
    compact_object(b"".join(rest) + text[position:], "Bundle")


def _read_entry(bundle: _Bundle, entry: _Entry, where: str) -> Item:
    raw = bytes(entry.resource)
    if not raw:
        raise reject("method-refused" if entry.request else "no-resource", where)
    if len(raw) > RESOURCE_BYTES_MAX:
        raise reject("too-large", f"{where}.resource")
    short, doc = read_object(raw, f"{where}.resource")
    rtype, client_id = doc.get("resourceType"), doc.get("id")
    if not isinstance(rtype, str) or not (rtype in OWNER_ELEMENT or rtype in SUPPORTING or rtype in NOT_KEPT):
        raise reject("type-refused", f"{where}.resource.resourceType")
    if client_id is not None and not _is_fhir_id(client_id):
        raise reject("bad-id", f"{where}.resource.id")
    _check_request(bundle.type, entry.request, rtype, client_id, f"{where}.request")
    key, aliases = _names(entry, rtype, client_id, raw)
    return Item(
        rtype=rtype,
        key=key,
        raw=short.decode(),
        where=f"{where}.resource",
        subject=_subject(doc, rtype),
        aliases=aliases,
    )


def _subject(doc: dict[str, Any], rtype: str) -> str | None:
    element = OWNER_ELEMENT.get(rtype)
    owner = doc.get(element) if element else None
    reference = owner.get("reference") if isinstance(owner, dict) else None
    return reference if isinstance(reference, str) else None


def _check_request(kind: str, request: _Request | None, rtype: str, client_id: Any, where: str) -> None:
    """Only plain creates and updates: no conditional form, no reading, no deleting (security.md S3)."""
    if request is None:
        if kind in ("transaction", "batch"):
            raise reject("no-request", where)
        return
    if request.method not in ("POST", "PUT"):
        raise reject("method-refused", f"{where}.method")
    if request.conditions != (None, None, None, None):
        raise reject("condition-refused", where)
    expected = rtype if request.method == "POST" else f"{rtype}/{client_id}"
    if request.url != expected:
        raise reject("condition-refused" if "?" in request.url else "url-mismatch", f"{where}.url")


def _names(entry: _Entry, rtype: str, client_id: Any, raw: bytes) -> tuple[str, tuple[str, ...]]:
    """The item's key and all its spellings: fullUrl, `Type/id`, `urn:uuid:id`."""
    spellings: list[str] = []
    if entry.request is not None and entry.request.method == "PUT":
        spellings.append(f"{rtype}/{client_id}")
    if entry.full_url:
        spellings.append(canonical(entry.full_url))
    if client_id is not None:
        spellings.append(f"{rtype}/{client_id}")
    if not spellings:
        spellings.append("urn:sha256:" + hashlib.sha256(raw).hexdigest())
    return spellings[0], tuple(dict.fromkeys(spellings))


def _is_fhir_id(value: Any) -> bool:
    return isinstance(value, str) and _FHIR_ID.fullmatch(value) is not None


def _check_belonging(items: list[Item], references: set[str]) -> list[Reason]:
    """One Patient, everything about that Patient, no name used twice, no look-up asked of us."""
    patients = [item for item in items if item.rtype == "Patient"]
    if len(patients) != 1:
        return [Reason("several-patients" if patients else "no-patient", "Bundle.entry")]
    own = set(patients[0].aliases)
    taken: set[str] = set()
    reasons: list[Reason] = []
    all_well = all(_fault_of(reference, own) is None for reference in references)
    for item in items:
        if item.key in taken:
            reasons.append(Reason("duplicate-entry", item.where))
        taken.add(item.key)
        reasons += _check_owner(item, own)
        reasons += [] if all_well else _check_references(item, own)
    return reasons


def _check_owner(item: Item, own: set[str]) -> list[Reason]:
    element = OWNER_ELEMENT.get(item.rtype)
    if element is None:
        return []
    if item.subject is None:
        return [Reason("no-subject", f"{item.where}.{element}")]
    if canonical(item.subject) not in own:
        return [Reason("other-patient", f"{item.where}.{element}")]
    return []


def _check_references(item: Item, own: set[str]) -> list[Reason]:
    faults = (_fault_of(reference, own) for reference in survey(item.doc, item.where).references)
    return next(([Reason(fault, item.where)] for fault in faults if fault), [])


def _fault_of(reference: str, own: set[str]) -> str | None:
    head, asks, _ = reference.partition("?")
    if asks and not reference.startswith("urn:") and head not in DISPLAY_ONLY:
        return "condition-refused"
    if "Patient/" in reference and canonical(reference) not in own:
        return "other-patient"
    return None


def _unit(bundle: _Bundle, items: list[Item], name: str) -> Unit:
    """A document is a snapshot under its identifier; a transaction is a set of writes."""
    snapshot = bundle.type == "document" and bundle.identifier is not None
    if bundle.identifier is not None:
        key = f"{bundle.identifier.system}|{bundle.identifier.value}"
    else:
        key = hashlib.sha256("\n".join(sorted(item.key for item in items)).encode()).hexdigest()
    patient = next(item for item in items if item.rtype == "Patient")
    return Unit(
        name=name,
        key=f"bundle:{key}",
        person=person_of(patient.doc, patient.where),
        items=items,
        snapshot=snapshot,
        documents=(f"fhir-{bundle.type}",),
    )


def resolver(items: list[Item]) -> Callable[[str], Item | None]:
    """Finds the item of the same unit behind a reference, whatever its spelling."""
    by_name = {alias: item for item in items for alias in item.aliases}
    return lambda reference: by_name.get(canonical(reference))
