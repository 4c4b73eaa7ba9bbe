"""Systems and codes that measurements have in FHIR. LOINC codes stand with the kinds (vitals/kinds.py)."""

from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

OURS: Final = "urn:vn:so-suc-khoe:"
# The client's id of a measurement; our name of a kind; what was said about the circumstances.
ID: Final = OURS + "vital"
KIND: Final = OURS + "vital-kind"
CONTEXT: Final = OURS + "vital-context"
SOURCE_KIND: Final = OURS + "vital-source"
ORIGIN: Final = OURS + "origin"
SELF_MEASURED: Final[Json] = {
    "system": ORIGIN,
    "code": "self-measured",
    "display": "Người dùng tự đo bằng thiết bị của mình, không phải kết quả của cơ sở y tế",
}

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
STATISTICS: Final = "http://terminology.hl7.org/CodeSystem/observation-statistics"
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
# HL7 Personal Health Device guide: an Observation with the clocks of a device and of its gateway at once.
COINCIDENT: Final = "http://hl7.org/fhir/uv/phd/StructureDefinition/CoincidentTimeStampReference"
COINCIDENT_PROFILE: Final = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdCoincidentTimeStampObservation"
MDC_TIME: Final = "67975"


def concept(system: str, code: str, display: str | None = None) -> Json:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}
