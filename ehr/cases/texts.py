"""The texts of a case, sealed at rest: what a person writes about a record is a record."""

from uuid import UUID

import msgspec

from ehr.cases.models import About, CaseRow
from store.fields import seal, unseal
from store.keys import KeyRing

_about = msgspec.json.Decoder(About).decode


def seal_body(keys: KeyRing, patient_id: UUID, text: str) -> bytes:
    return seal(keys, patient_id, "ehr_case", "body", text)


def seal_about(keys: KeyRing, patient_id: UUID, about: About) -> bytes:
    return seal(keys, patient_id, "ehr_case", "about", msgspec.json.encode(about).decode())


def seal_note(keys: KeyRing, patient_id: UUID, text: str | None) -> bytes | None:
    return None if text is None else seal(keys, patient_id, "ehr_case_step", "note", text)


def body_of(keys: KeyRing, case: CaseRow) -> str:
    return unseal(keys, case.patient_id, "ehr_case", "body", case.body)


def about_of(keys: KeyRing, case: CaseRow) -> About:
    return _about(unseal(keys, case.patient_id, "ehr_case", "about", case.about))


def note_of(keys: KeyRing, patient_id: UUID, note: bytes | None) -> str | None:
    return None if note is None else unseal(keys, patient_id, "ehr_case_step", "note", note)
