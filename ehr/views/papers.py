"""Reports, imaging, documents: references and plain text only. Narrative and HTML are never shown (S35)."""

import base64
import binascii
import re

from ehr.fhir import Attachment, DiagnosticReport, DocumentReference, ImagingStudy, VerificationResult
from ehr.imaging.names import modality_name, site_name
from ehr.models import Section
from ehr.titles import coding_title, title_of
from ehr.views.draft import Draft, Refer, code_of, first_date, new_item, start

TEXT_CHARACTERS_MAX = 20_000
PICTURES_MAX = 20
# What VerificationResult has no element for: the note, and which version of the entry the doctor saw.
VERDICT_NOTE = "urn:vn:so-suc-khoe:verdict-note"
VERDICT_VERSION = "urn:vn:so-suc-khoe:verdict-version"
_UID = re.compile(r"[0-9]+(\.[0-9]+){1,63}", re.ASCII)
# v2-0074 service sections of imaging, LOINC's radiology class.
_IMAGING = frozenset(
    {"RAD", "RX", "CT", "CTH", "NMR", "MR", "US", "RUS", "VUS", "XRC", "NMS", "LP29684-5", "CR", "IMG"}
)


def diagnostic_report(ident: str, r: DiagnosticReport, refer: Refer) -> Draft:
    when = first_date(r.effective_date_time, start(r.effective_period), r.issued)
    item = new_item(ident, "DiagnosticReport", title_of(r.code, "Phiếu kết quả"), r.status, when)
    item.category = next((code for c in r.category if (code := code_of(c))), None)
    item.recorded_by = next((p.display for p in r.performer), None)
    item.lines = [r.conclusion] if r.conclusion else []
    section = _report_section(r)
    if section == "imaging":
        item.modality = item.category
        item.modality_vi = modality_name(item.modality)
        item.pictures = _pictures(r, refer)
    item.content_type = r.presented_form[0].content_type if r.presented_form else None
    return Draft(
        item=item,
        section=section,
        concept=r.code,
        body=_plain_text(r.presented_form),
        when=when,
        encounter=r.encounter,
        category=item.category,
    )


def verdict(ident: str, v: VerificationResult, _refer: Refer) -> Draft:
    """What a doctor made of a declared entry: shown with that entry alone (ehr/reads/faces.py)."""
    when = first_date(v.status_date)
    item = new_item(ident, "Other", "Bác sĩ xem mục tự khai", v.status, when)
    item.recorded_by = v.attestation.who.display if v.attestation and v.attestation.who else None
    item.text = _said(v, VERDICT_NOTE)
    return Draft(item=item, section=None, when=when, category=_said(v, VERDICT_VERSION))


def _said(v: VerificationResult, url: str) -> str | None:
    return next((one.value_string for one in v.extension if one.url == url), None)


def imaging_study(ident: str, s: ImagingStudy, _refer: Refer) -> Draft:
    when = first_date(s.started)
    code = s.procedure_code[0] if s.procedure_code else None
    title = s.description or title_of(code, "Chẩn đoán hình ảnh")
    item = new_item(ident, "ImagingStudy", title, s.status, when)
    item.category = next((m.code for m in s.modality), None)
    item.modality = item.category or next((x.modality.code for x in s.series if x.modality), None)
    item.modality_vi = modality_name(item.modality)
    sites = [site_name(name) for series in s.series if (name := coding_title(series.body_site))]
    item.body_sites = list(dict.fromkeys(sites))
    item.has_viewer = study_uid(s) is not None
    parts = [x for series in s.series for x in (series.description, coding_title(series.body_site)) if x]
    item.lines = list(dict.fromkeys(parts))
    return Draft(item=item, section="imaging", concept=code, when=when, encounter=s.encounter)


def document(ident: str, d: DocumentReference, _refer: Refer) -> Draft:
    when = first_date(d.date)
    attachments = [c.attachment for c in d.content]
    title = title_of(d.type, d.description or "Tài liệu")
    item = new_item(ident, "DocumentReference", title, d.status, when)
    item.category = next((code for c in d.category if (code := code_of(c))), None)
    item.lines = [d.description] if d.description and d.description != title else []
    item.content_type = attachments[0].content_type if attachments else None
    visits = d.context.encounter if d.context else []
    return Draft(
        item=item,
        section="documents",
        concept=d.type,
        body=_plain_text(attachments),
        when=when,
        encounter=next(iter(visits), None),
        category=item.category,
    )


def study_uid(study: ImagingStudy) -> str | None:
    """The DICOM number of a study: digits and dots (DICOM PS3.5 §9.1), or None."""
    found = next((i.value for i in study.identifier if i.system == "urn:dicom:uid" and i.value), None)
    uid = (found or "").removeprefix("urn:oid:")
    return uid if _UID.fullmatch(uid) else None


def _pictures(r: DiagnosticReport, refer: Refer) -> list[str]:
    """Our ids of the key pictures; they are read as documents."""
    links = [m.link.reference for m in r.media if m.link and m.link.reference]
    found = [referred.id for link in links[:PICTURES_MAX] if (referred := refer(link)) and referred.id]
    return list(dict.fromkeys(found))


def _report_section(r: DiagnosticReport) -> Section:
    codes = {c.code for concept in r.category for c in concept.coding}
    if codes & _IMAGING:
        return "imaging"
    return "documents" if r.presented_form else "other"


def _plain_text(attachments: list[Attachment]) -> str | None:
    """The text of the first plain-text attachment; every other format stays a reference."""
    found = next((a for a in attachments if a.data and (a.content_type or "").startswith("text/plain")), None)
    if found is None or found.data is None:
        return None
    try:
        text = base64.b64decode(found.data, validate=False).decode("utf-8", errors="replace")
    except binascii.Error:
        return None
    return text[:TEXT_CHARACTERS_MAX]
