"""Which types are served, and by which parameters each is searched: IPA 1.1's and a few more.

IPA 1.1 asks a server for Patient by `_id` and for each other type that it serves by `patient`; Observation by
category, code and category with date, DocumentReference by `_id`, type and category besides. What IPA only
recommends is here too. Parameters combine freely; every one narrows.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Path: TypeAlias = tuple[str, ...]
Interaction = Literal["r", "s"]

IPA: Final = "http://hl7.org/fhir/uv/ipa/StructureDefinition/ipa-"
PATIENT: Final = "Patient"


class Tokens(Struct, frozen=True):
    """A parameter that compares codes. path: from the resource to Codings or codes, lists on the way."""

    path: Path


class Dates(Struct, frozen=True):
    """A parameter that compares a time. paths: of which one must be there, where the row's own time may come
    from elsewhere; none where it cannot."""

    paths: tuple[Path, ...] = ()


class Kind(Struct, frozen=True):
    """One type. profile: of IPA, where it has one. code: IPA's must-support parameters by their names."""

    parameters: dict[str, Tokens | Dates]
    profile: str | None = None
    includes: tuple[str, ...] = ()


def _concept(*path: str) -> Tokens:
    return Tokens((*path, "coding"))


_STATUS: Final = Tokens(("status",))
_CLINICAL: Final = {
    "clinical-status": _concept("clinicalStatus"),
    "verification-status": _concept("verificationStatus"),
    "code": _concept("code"),
}
_EVENT: Final[dict[str, Tokens | Dates]] = {
    "status": _STATUS,
    "category": _concept("category"),
    "code": _concept("code"),
    "date": Dates(),
}
KINDS: Final[dict[str, Kind]] = {
    "AllergyIntolerance": Kind({**_CLINICAL, "category": Tokens(("category",))}, IPA + "allergyintolerance"),
    "Condition": Kind(
        {
            **_CLINICAL,
            "category": _concept("category"),
            "onset-date": Dates((("onsetDateTime",), ("onsetPeriod",))),
        },
        IPA + "condition",
    ),
    "MedicationRequest": Kind(
        {
            "status": _STATUS,
            "intent": Tokens(("intent",)),
            "category": _concept("category"),
            "code": _concept("medicationCodeableConcept"),
            "authoredon": Dates(),
        },
        IPA + "medicationrequest",
        ("MedicationRequest:medication",),
    ),
    "MedicationStatement": Kind(
        {
            "status": _STATUS,
            "category": _concept("category"),
            "code": _concept("medicationCodeableConcept"),
            "effective": Dates((("effectiveDateTime",), ("effectivePeriod",))),
        },
        IPA + "medicationstatement",
        ("MedicationStatement:medication",),
    ),
    "Immunization": Kind(
        {"status": _STATUS, "vaccine-code": _concept("vaccineCode"), "date": Dates()}, IPA + "immunization"
    ),
    "Observation": Kind(_EVENT, IPA + "observation"),
    "DocumentReference": Kind(
        {
            "status": _STATUS,
            "type": _concept("type"),
            "category": _concept("category"),
            "contenttype": Tokens(("content", "attachment", "contentType")),
            "date": Dates(),
        },
        IPA + "documentreference",
    ),
    "DiagnosticReport": Kind(_EVENT),
    "Encounter": Kind(
        {"status": _STATUS, "class": Tokens(("class",)), "type": _concept("type"), "date": Dates()}
    ),
    "Procedure": Kind(_EVENT),
    "Device": Kind({"status": _STATUS, "type": _concept("type")}),
    "CarePlan": Kind({"status": _STATUS, "category": _concept("category"), "date": Dates()}),
    "ImagingStudy": Kind({"status": _STATUS, "started": Dates()}),
    "FamilyMemberHistory": Kind({"status": _STATUS, "date": Dates()}),
    "QuestionnaireResponse": Kind({"status": _STATUS, "authored": Dates()}),
}
