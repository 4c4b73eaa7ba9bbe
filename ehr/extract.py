"""From the raw text of one FHIR resource to the row that is stored: index columns and reading view."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from ehr import fhir
from ehr.dates import UNDATED, Moment
from ehr.duplicates import fold_key
from ehr.models import Item, NewResource, Referred
from ehr.references import kept_refs
from ehr.titles import main_coding, search_text, title_of
from ehr.views import care, checks, medicines, papers, problems, results
from ehr.views.draft import Draft, Refer, first_date
from kernel.access import RecordType

View = Callable[[str, Any, Refer], Draft]


class Reader(Struct, frozen=True):
    """How one type is read: its Struct, decoded once, and its view."""

    decoder: msgspec.json.Decoder[Any]
    view: View


def _reader(type_: type[Struct], view: View) -> Reader:
    return Reader(msgspec.json.Decoder(type_), view)


READERS: dict[str, Reader] = {
    "AllergyIntolerance": _reader(fhir.AllergyIntolerance, problems.allergy),
    "Condition": _reader(fhir.Condition, problems.condition),
    "MedicationRequest": _reader(fhir.MedicationRequest, medicines.medication_request),
    "MedicationStatement": _reader(fhir.MedicationStatement, medicines.medication_statement),
    "Immunization": _reader(fhir.Immunization, medicines.immunization),
    "Observation": _reader(fhir.Observation, results.observation),
    "DiagnosticReport": _reader(fhir.DiagnosticReport, papers.diagnostic_report),
    "ImagingStudy": _reader(fhir.ImagingStudy, papers.imaging_study),
    "Procedure": _reader(fhir.Procedure, care.procedure),
    "Encounter": _reader(fhir.Encounter, care.encounter),
    "CarePlan": _reader(fhir.CarePlan, care.care_plan),
    "EpisodeOfCare": _reader(fhir.EpisodeOfCare, care.episode_of_care),
    "Appointment": _reader(fhir.Appointment, care.appointment),
    "Device": _reader(fhir.Device, care.device),
    "DeviceUseStatement": _reader(fhir.DeviceUseStatement, care.device_use),
    "DocumentReference": _reader(fhir.DocumentReference, papers.document),
    "Flag": _reader(fhir.FlagResource, care.alert),
    "FamilyMemberHistory": _reader(fhir.FamilyMemberHistory, problems.family_history),
    "QuestionnaireResponse": _reader(fhir.QuestionnaireResponse, checks.response),
    "VerificationResult": _reader(fhir.VerificationResult, papers.verdict),
}
_OTHER_TYPES: dict[str, RecordType] = {
    "MedicationAdministration": "MedicationStatement",
    "MedicationDispense": "MedicationRequest",
    "Composition": "DocumentReference",
    "Goal": "CarePlan",
}
_OTHER = msgspec.json.Decoder(fhir.Other)
_MEDICATION = msgspec.json.Decoder(fhir.Medication)


def medication_title(raw: bytes) -> str:
    """The name of a Medication resource, for the requests that refer to it."""
    concept = _MEDICATION.decode(raw).code
    return title_of(concept, "") if concept else ""


def extract(
    rtype: str,
    raw: bytes,
    *,
    id: str,  # noqa: A002 - FHIR's own word
    refer: Refer,
    labels: int = 0,
    facility_name: str | None = None,
    declared_by: str | None = None,
    is_compact: bool = False,
) -> NewResource:
    """Read one resource. `raw` is its JSON text, `id` ours, `refer` resolves a reference in it.

    declared_by: who said it without being a facility, as it is shown; it is never folded with what one sent.
    Raises msgspec.ValidationError with the place (`$.effectiveDateTime`) for what is no FHIR R4.
    """
    reader = READERS.get(rtype)
    draft = reader.view(id, reader.decoder.decode(raw), refer) if reader else _other(id, rtype, raw)
    draft.item.facility_name = facility_name
    doc = raw if is_compact else msgspec.json.format(raw, indent=-1)
    if declared_by is None:
        return _row(rtype, draft, doc, refer, labels)
    draft.item.self_declared, draft.item.recorded_by = True, declared_by
    made = _row(rtype, draft, doc, refer, labels)
    made.fold_key = None
    return made


def _row(rtype: str, draft: Draft, doc: bytes, refer: Refer, labels: int) -> NewResource:
    item, when, text = draft.item, draft.when, doc.decode()
    encounter_id = _referred(refer, draft.encounter)
    _name_code(item, draft)
    return NewResource(
        rtype=rtype,
        id=item.id,
        doc=text,
        content_sha256=hashlib.sha256(doc).digest(),
        record_type=item.kind,
        section=draft.section,
        eff=when.first if when else None,
        eff_until=_last(when, draft.until),
        eff_precision=when.precision if when else None,
        sort_at=when.first if when else UNDATED,
        active_until=draft.active_until,
        negative=draft.negative,
        flag=draft.flag,
        code_system=item.code_system,
        code=item.code,
        category=draft.category,
        status=item.status,
        labels=labels,
        title=item.title,
        title_folded=search_text(item.title, draft.concept, *draft.concepts),
        encounter_id=encounter_id,
        main_id=_referred(refer, draft.main),
        item=msgspec.json.encode(item).decode(),
        body=draft.body,
        fold_key=fold_key(rtype, draft),
        refs=kept_refs(rtype, text, encounter_id, refer),
    )


def _name_code(item: Item, draft: Draft) -> None:
    coding = main_coding(draft.concept)
    if coding is None:
        return
    item.code, item.code_system = coding.code, coding.system
    if coding.display != item.title:
        item.display = coding.display


def _last(when: Moment | None, until: datetime | None) -> datetime | None:
    if when is None:
        return None
    return when.last if until is None else max(when.last, until)


def _referred(refer: Refer, reference: fhir.Reference | None) -> str | None:
    found: Referred | None = refer(reference.reference) if reference and reference.reference else None
    return found.id if found else None


def _other(ident: str, rtype: str, raw: bytes) -> Draft:
    """A type we keep but do not show yet: no title, no section."""
    found = _OTHER.decode(raw)
    day = _text(found.date)
    when = first_date(found.effective_date_time, found.authored_on, found.started, found.recorded, day)
    kind = _OTHER_TYPES.get(rtype, "Other")
    item = Item(id=ident, kind=kind, title="", status=_text(found.status) or "unknown")
    return Draft(item=item, section=None, when=when, encounter=found.encounter)


def _text(raw: msgspec.Raw) -> str | None:
    """A JSON string, or None for whatever else stands there."""
    if not bytes(raw).startswith(b'"'):
        return None
    return msgspec.json.decode(raw, type=str)
