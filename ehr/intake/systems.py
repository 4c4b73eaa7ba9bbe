"""The one table of identifier and code systems that imports use (ehr-core.md §6, vietnam.md §10).

VN Core 1.0.0 (hl7vn/vn-core-ig) names the identifier systems; what neither VN Core nor HL7 names
gets a system of ours under OURS.
"""

from typing import Final

from ehr.intake.models import IdentifierKind

VN_SID: Final = "http://fhir.ehealth.gov.vn/core/sid/"
OURS: Final = "urn:vn:so-suc-khoe:"

# `citizen_id` is the OLD CMND; the VNeID number is `national_id` (ehr-core.md §6).
IDENTIFIER_KINDS: Final[dict[str, IdentifierKind]] = {
    VN_SID + "national_id": "national-id",
    VN_SID + "citizen_id": "old-id",
    VN_SID + "insurance_number": "insurance-card",
    VN_SID + "passport_number": "passport",
    VN_SID + "patient-internal-id": "facility-patient-id",
}

VISIT_NUMBER: Final = VN_SID + "VisitNumber"
MEDICAL_RECORD_NUMBER: Final = VN_SID + "ArchiveNumber"
PROVIDER_CODE: Final = VN_SID + "provider-code"

ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
# v2-0074: the service sections of diagnostic reports.
REPORT_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
CONDITION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/condition-category"

# VN Core's Encounter.diagnosis slices: CC is the main disease, exactly one; CM a comorbidity.
DIAGNOSIS_ROLE: Final = "http://terminology.hl7.org/CodeSystem/diagnosis-role"

FACILITY: Final = OURS + "facility"
DRUG: Final = OURS + "drug"
DRUG_REGISTRATION: Final = OURS + "drug-registration"
ROUTE: Final = OURS + "route"
SERVICE: Final = OURS + "service"
INDICATOR: Final = OURS + "indicator"
DEPARTMENT: Final = OURS + "department"
CARE_KIND: Final = OURS + "care-kind"
DISCHARGE_KIND: Final = OURS + "discharge-kind"
TREATMENT_RESULT: Final = OURS + "treatment-result"
TRADITIONAL_DISEASE: Final = OURS + "traditional-disease"
REFERRAL_REASON: Final = OURS + "referral-reason"
REVISIT_LETTER: Final = OURS + "revisit-letter"
REFERRAL_LETTER: Final = OURS + "referral-letter"
DOCUMENT_KIND: Final = OURS + "document-kind"
FORM_831: Final = OURS + "qd831"
VACCINE: Final = OURS + "vaccine"
# A dose as a system of the nation numbers it; the system's name follows.
DOSE: Final = OURS + "dose:"
HEALTH_CHECK: Final = OURS + "health-check"
# Who said it, where that was no facility; and codes of such entries, so that none stands for a facility's.
DECLARED_BY: Final = OURS + "declared-by"
DECLARED: Final = OURS + "declared"
ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
# What a facility follows people in, and what the plan of it carries beside FHIR's own fields.
PROGRAMME: Final = OURS + "programme"
PROGRAMME_ENROLMENT: Final = OURS + "programme-enrolment"
PROGRAMME_STATE: Final = OURS + "programme-state"

# What a treatment package says beyond numbers and names of its person (VN Core's own extensions).
VN_PROFILE: Final = "http://fhir.ehealth.gov.vn/core/StructureDefinition/"
PERSON_EXTENSIONS: Final = {
    "MA_QUOCTICH": (VN_PROFILE + "extension-nationality", OURS + "nationality"),
    "MA_DANTOC": (VN_PROFILE + "extension-ethic", OURS + "ethnic-group"),
    "MA_NGHE_NGHIEP": (VN_PROFILE + "extension-occupation", OURS + "occupation"),
}
ICD9_PROCEDURE: Final = "http://hl7.org/fhir/sid/icd-9-cm"
ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
ICD_MARK: Final = OURS + "icd-mark"
DRUG_PREPARATION: Final = OURS + "drug-preparation"
DOSE_FORM: Final = OURS + "dose-form"
CARRIED_OUT: Final = OURS + "carried-out-at"
ORDERED: Final = OURS + "ordered-at"
RESULT_AT: Final = OURS + "result-at"
ANAESTHESIA: Final = OURS + "anaesthesia"
BODY_SITE: Final = OURS + "body-site"
MACHINE: Final = OURS + "machine"
BED: Final = OURS + "bed"
INJURY: Final = OURS + "injury-kind"
INPATIENT_REASON: Final = OURS + "inpatient-reason"
BIRTH_WEIGHT_OF_CHILD: Final = OURS + "measure"
COVERAGE_CLASS: Final = OURS + "coverage-class"
PRESCRIPTION: Final = OURS + "prescription"
PRESCRIPTION_LINE: Final = OURS + "prescription-line"
LETTER_NUMBER: Final = OURS + "letter"
TUBERCULOSIS: Final = OURS + "tuberculosis"
