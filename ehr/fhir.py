"""FHIR R4 as we read it: the fields we use of the types we show (hl7.org/fhir/R4).

A reading view: unknown fields are skipped and nothing is ever written back from these Structs.
Statuses are the closed value sets of R4; decoding refuses any other.
"""

from decimal import Decimal
from typing import Final, Literal

from msgspec import Raw, Struct, field

# No measurement is written with more: ten letters (`1E-999999999`) would unpack to a gigabyte.
EXPONENT_MAX: Final = 320


def in_digits(value: Decimal) -> str:
    """Without an exponent, as people write it; a number that none of them writes stays as it came."""
    exponent = value.as_tuple().exponent
    return f"{value:f}" if isinstance(exponent, int) and abs(exponent) <= EXPONENT_MAX else str(value)


class Element(Struct, kw_only=True, rename="camel"):
    """Base of all: FHIR names are camelCase."""


class Coding(Element):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Element):
    coding: list[Coding] = []
    text: str | None = None


class Reference(Element):
    reference: str | None = None
    display: str | None = None


class Quantity(Element):
    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Period(Element):
    start: str | None = None
    end: str | None = None


class QuantityRange(Element):
    low: Quantity | None = None
    high: Quantity | None = None


class Extension(Element):
    url: str | None = None
    value_string: str | None = None
    value_code: str | None = None
    value_date: str | None = None
    value_integer: int | None = None
    extension: list["Extension"] = []


class Said(Element):
    url: str = ""
    value_string: str | None = None


class Note(Element):
    text: str = ""


class Repeat(Element):
    bounds_period: Period | None = None
    frequency: int | None = None
    period: Decimal | None = None
    period_unit: str | None = None


class Timing(Element):
    repeat: Repeat | None = None
    code: Concept | None = None


class DoseAndRate(Element):
    dose_quantity: Quantity | None = None


class Dosage(Element):
    text: str | None = None
    patient_instruction: str | None = None
    timing: Timing | None = None
    route: Concept | None = None
    dose_and_rate: list[DoseAndRate] = []
    as_needed_boolean: bool | None = None


class Reaction(Element):
    manifestation: list[Concept] = []
    severity: str | None = None
    description: str | None = None


class AllergyIntolerance(Element):
    clinical_status: Concept | None = None
    verification_status: Concept | None = None
    category: list[str] = []
    criticality: str | None = None
    code: Concept | None = None
    encounter: Reference | None = None
    onset_date_time: str | None = None
    recorded_date: str | None = None
    recorder: Reference | None = None
    reaction: list[Reaction] = []
    note: list[Note] = []


class Condition(Element):
    clinical_status: Concept | None = None
    verification_status: Concept | None = None
    category: list[Concept] = []
    severity: Concept | None = None
    code: Concept | None = None
    encounter: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    abatement_date_time: str | None = None
    recorded_date: str | None = None
    recorder: Reference | None = None
    note: list[Note] = []


class MedicationRequest(Element):
    status: Literal[
        "active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"
    ]
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    encounter: Reference | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    dosage_instruction: list[Dosage] = []
    note: list[Note] = []
    identifier: list["Identifier"] = []
    group_identifier: "Identifier | None" = None


class MedicationStatement(Element):
    status: Literal[
        "active",
        "completed",
        "entered-in-error",
        "intended",
        "stopped",
        "on-hold",
        "unknown",
        "not-taken",
    ]
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    context: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    information_source: Reference | None = None
    dosage: list[Dosage] = []
    note: list[Note] = []


class ProtocolApplied(Element):
    dose_number_positive_int: int | None = None
    dose_number_string: str | None = None


class Performer(Element):
    actor: Reference | None = None


class Immunization(Element):
    status: Literal["completed", "entered-in-error", "not-done"]
    vaccine_code: Concept
    encounter: Reference | None = None
    occurrence_date_time: str | None = None
    lot_number: str | None = None
    performer: list[Performer] = []
    manufacturer: Reference | None = None
    protocol_applied: list[ProtocolApplied] = []
    note: list[Note] = []


class ReferenceRange(Element):
    low: Quantity | None = None
    high: Quantity | None = None
    type: Concept | None = None
    text: str | None = None


class Value(Element):
    """value[x] with its ranges, of an Observation or of one of its components."""

    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: QuantityRange | None = None
    value_date_time: str | None = None
    data_absent_reason: Concept | None = None
    interpretation: list[Concept] = []
    reference_range: list[ReferenceRange] = []


class Component(Value, kw_only=True):
    code: Concept


class Observation(Value, kw_only=True):
    status: Literal[
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
    code: Concept
    category: list[Concept] = []
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    issued: str | None = None
    performer: list[Reference] = []
    component: list[Component] = []
    note: list[Note] = []


class Attachment(Element):
    content_type: str | None = None
    title: str | None = None
    data: str | None = None
    url: str | None = None


class ReportMedia(Element):
    link: Reference | None = None


class DiagnosticReport(Element):
    status: Literal[
        "registered",
        "partial",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "appended",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
    code: Concept
    category: list[Concept] = []
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    performer: list[Reference] = []
    conclusion: str | None = None
    media: list[ReportMedia] = []
    presented_form: list[Attachment] = []


class Series(Element):
    modality: Coding | None = None
    body_site: Coding | None = None
    description: str | None = None


class Identifier(Element):
    system: str | None = None
    value: str | None = None


class ImagingStudy(Element):
    status: Literal["registered", "available", "cancelled", "entered-in-error", "unknown"]
    identifier: list[Identifier] = []
    modality: list[Coding] = []
    encounter: Reference | None = None
    started: str | None = None
    procedure_code: list[Concept] = []
    description: str | None = None
    series: list[Series] = []


class Procedure(Element):
    status: Literal[
        "preparation",
        "in-progress",
        "not-done",
        "on-hold",
        "stopped",
        "completed",
        "entered-in-error",
        "unknown",
    ]
    category: Concept | None = None
    code: Concept | None = None
    encounter: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    performed_string: str | None = None
    performer: list[Performer] = []
    outcome: Concept | None = None
    note: list[Note] = []


class Diagnosis(Element):
    condition: Reference | None = None
    use: Concept | None = None
    rank: int | None = None


class Hospitalization(Element):
    discharge_disposition: Concept | None = None


class Encounter(Element):
    status: Literal[
        "planned",
        "arrived",
        "triaged",
        "in-progress",
        "onleave",
        "finished",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
    class_: Coding = field(name="class")
    type: list[Concept] = []
    service_type: Concept | None = None
    period: Period | None = None
    reason_code: list[Concept] = []
    diagnosis: list[Diagnosis] = []
    hospitalization: Hospitalization | None = None


class ActivityDetail(Element):
    code: Concept | None = None
    description: str | None = None
    status: str | None = None


class Activity(Element):
    detail: ActivityDetail | None = None


class EpisodeOfCare(Element):
    status: Literal[
        "planned",
        "waitlist",
        "active",
        "onhold",
        "finished",
        "cancelled",
        "entered-in-error",
    ]
    type: list[Concept] = []
    period: Period | None = None


class CarePlan(Element):
    status: Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"]
    title: str | None = None
    description: str | None = None
    category: list[Concept] = []
    encounter: Reference | None = None
    period: Period | None = None
    created: str | None = None
    activity: list[Activity] = []
    extension: list[Extension] = []
    note: list[Note] = []


class Appointment(Element):
    status: str
    description: str | None = None
    start: str | None = None
    requested_period: list[Period] = []
    supporting_information: list[Reference] = []


class Device(Element):
    status: str | None = None
    type: Concept | None = None
    expiration_date: str | None = None


class DeviceUseStatement(Element):
    status: str
    device: Reference | None = None
    timing_date_time: str | None = None
    timing_period: Period | None = None
    recorded_on: str | None = None


class DocumentContent(Element):
    attachment: Attachment


class DocumentContext(Element):
    encounter: list[Reference] = []
    period: Period | None = None


class DocumentReference(Element):
    status: Literal["current", "superseded", "entered-in-error"]
    type: Concept | None = None
    category: list[Concept] = []
    date: str | None = None
    description: str | None = None
    content: list[DocumentContent] = []
    context: DocumentContext | None = None


class RelativeCondition(Element):
    code: Concept | None = None


class FamilyMemberHistory(Element):
    status: Literal["partial", "completed", "entered-in-error", "health-unknown"]
    date: str | None = None
    relationship: Concept | None = None
    condition: list[RelativeCondition] = []
    note: list[Note] = []


class Attestation(Element):
    who: Reference | None = None


class VerificationResult(Element):
    status: Literal["attested", "validated", "in-process", "req-revalid", "val-fail", "reval-fail"]
    status_date: str | None = None
    attestation: Attestation | None = None
    extension: list[Said] = []


class FlagResource(Element):
    status: Literal["active", "inactive", "entered-in-error"]
    code: Concept
    period: Period | None = None
    encounter: Reference | None = None


class Answer(Element):
    """value[x] of one answer, as far as forms of ours have it."""

    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_date: str | None = None
    value_coding: Coding | None = None


class ResponseItem(Element):
    link_id: str = ""
    text: str | None = None
    answer: list[Answer] = []


class Meta(Element):
    tag: list[Coding] = []


class QuestionnaireResponse(Element):
    status: Literal["in-progress", "completed", "amended", "entered-in-error", "stopped"]
    questionnaire: str | None = None
    meta: Meta | None = None
    encounter: Reference | None = None
    authored: str | None = None
    author: Reference | None = None
    item: list[ResponseItem] = []


class Medication(Element):
    code: Concept | None = None


class Other(Element):
    """Any further type: kept as text, dated where its date has a common name, shown nowhere yet."""

    status: Raw = Raw(b"")
    date: Raw = Raw(b"")
    authored_on: str | None = None
    effective_date_time: str | None = None
    started: str | None = None
    recorded: str | None = None
    encounter: Reference | None = None
