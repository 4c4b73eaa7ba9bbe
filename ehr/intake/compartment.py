"""Which resources belong to a person, and by which element (FHIR R4 CompartmentDefinition/patient).

Only the element that says *whose* record it is counts here; a Patient named as performer or author
must be the Bundle's own person as well, which the reader checks for every reference.
"""

from typing import Final

OWNER_ELEMENT: Final[dict[str, str]] = {
    "AllergyIntolerance": "patient",
    "CarePlan": "subject",
    "CareTeam": "subject",
    "ClinicalImpression": "subject",
    "Communication": "subject",
    "Composition": "subject",
    "Condition": "subject",
    "Consent": "patient",
    "Coverage": "beneficiary",
    "DetectedIssue": "patient",
    "DeviceRequest": "subject",
    "DeviceUseStatement": "subject",
    "DiagnosticReport": "subject",
    "DocumentReference": "subject",
    "Encounter": "subject",
    "EpisodeOfCare": "patient",
    "FamilyMemberHistory": "patient",
    "Flag": "subject",
    "Goal": "subject",
    "ImagingStudy": "subject",
    "Immunization": "patient",
    "ImmunizationEvaluation": "patient",
    "ImmunizationRecommendation": "patient",
    "List": "subject",
    "Media": "subject",
    "MedicationAdministration": "subject",
    "MedicationDispense": "subject",
    "MedicationRequest": "subject",
    "MedicationStatement": "subject",
    "NutritionOrder": "patient",
    "Observation": "subject",
    "Procedure": "subject",
    "QuestionnaireResponse": "subject",
    "RelatedPerson": "patient",
    "RiskAssessment": "subject",
    "ServiceRequest": "subject",
    "Specimen": "subject",
    "VisionPrescription": "patient",
}

# Kept beside the person's resources because they are shown with them; they belong to nobody.
SUPPORTING: Final = frozenset(
    [
        "Patient",
        "Appointment",
        "BodyStructure",
        "Device",
        "Endpoint",
        "Location",
        "Medication",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "Substance",
        "HealthcareService",
    ]
)

# A health book never reads these; they are left out and said so in the report.
NOT_KEPT: Final = frozenset(
    [
        "Account",
        "Claim",
        "ClaimResponse",
        "CoverageEligibilityRequest",
        "CoverageEligibilityResponse",
        "ChargeItem",
        "ExplanationOfBenefit",
        "Invoice",
        "PaymentNotice",
        "PaymentReconciliation",
    ]
)

# A conditional reference to one of these is text for display; nothing is looked up for it.
DISPLAY_ONLY: Final = frozenset(
    [
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "Location",
        "HealthcareService",
        "Endpoint",
        "Device",
    ]
)
