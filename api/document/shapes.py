"""What generators of clients make classes, members and defaults from.

A name is part of the contract: when a second package gets a class of one's name, Litestar renames both after
their modules, and every app's code would stop to compile. So each has a name of its own here, and a test
refuses one that stands nowhere.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

_REF: Final = "#/components/schemas/"

# Litestar's name, after the module, and ours.
NAMES: Final = {
    "CoSignature": "EmergencyCoSignature",  # beside Cosignature one file on many a disk
    "Extension": "QuestionnaireExtension",  # a reserved word in Dart, as are Part and Source
    "Part": "ResultPart",
    "Range": "ReferenceRange",  # a type of Swift's own
    "Source": "MeasuringSource",
    "api_citizen_account_Profile": "CitizenProfile",
    "api_citizen_emergency_card_NewCode": "NewCardCode",
    "api_facility_desk_Ticket": "CounterTicket",
    "api_public_certificates_CertificateText": "ScannedCertificate",
    "api_public_identity_CardText": "IdentityCardText",
    "api_registry_people_Proposed": "RegistryActProposed",
    "ehr_intake_receipts_Receipt": "RecordReceipt",
    "ehr_models_Item": "BookItem",
    "ehr_models_Verdict": "DoctorVerdict",
    "ehr_pregnancy_models_VisitShown": "AntenatalVisit",
    "ehr_reads_models_SourceShown": "BookSource",
    "ehr_reads_models_Visit": "BookVisit",
    "facility_counters_CounterScreen": "CounterScreen",
    "family_attesting_Proposed": "GuardianshipProposed",
    "health_checks_rules_Due": "HealthCheckDue",
    "identity_activation_Proposed": "ActivationProposed",
    "identity_register_facilities_NewCode": "NewFacilityCode",
    "kiosk_device_CounterScreen": "KioskScreen",
    "partners_disclosures_models_Receipt": "DisclosureReceipt",
    "programmes_models_Due": "ProgrammeDue",
    "qr_card_texts_CardText": "CardHolder",
    "reminders_answers_models_Week": "AdherenceWeek",
    "reminders_nutrition_models_Weekly": "NutritionWeekly",
    "vaccination_certificates_models_CertificateText": "CertificateText",
    "vaccination_schedule_models_Schedule": "VaccinationSchedule",
    "vaccination_schedule_models_Visit": "VaccinationVisit",
    "vaccination_shc_models_CardText": "HealthCardText",
    "vaccination_verify_models_Verdict": "CertificateVerdict",
    "visits_booking_models_Schedule": "BookingSchedule",
    "visits_check_ins_models_VisitShown": "CheckInVisit",
    "visits_declarations_fhir_Item": "QuestionnaireItem",
    "visits_hotline_models_Ticket": "HotlineTicket",
    "vitals_devices_models_SourceShown": "DeviceSource",
    "vitals_figures_agp_Profile": "GlucoseProfile",
    "vitals_reads_models_SourceShown": "VitalsSource",
    "vitals_reads_models_Week": "VitalsWeek",
    "vitals_reads_models_Weekly": "VitalsWeekly",
}

# Enumerations of a member whose name is a word of Kotlin's: the class that its generator names after the
# member does not compile. As a schema of its own the enumeration has a name of its own.
ENUMERATIONS: Final = {("EnableWhen", "operator"): "EnableOperator", ("StatementBody", "value"): "BloodGroup"}

# A member's name for what no language takes as one.
_MEMBERS: Final = {
    "=": "equals",
    "!=": "not_equals",
    ">": "greater_than",
    "<": "less_than",
    ">=": "at_least",
    "<=": "at_most",
    "+": "_positive",
    "-": "_negative",
}
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_. ][A-Za-z0-9]+)*")


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document, before any other stage: they see these names alone."""
    schemas = document["components"]["schemas"]
    for old, new in NAMES.items():
        if old in schemas:
            if new in schemas:
                raise ValueError(f"two schemas would be called {new}")
            schemas[new] = schemas.pop(old)
    _follow(document)
    for (schema, field), name in ENUMERATIONS.items():
        if schema in schemas:
            schemas[name] = _take_out(schemas[schema]["properties"], field, _REF + name)
    for schema in schemas.values():
        _state_empty_defaults(schema)
    _drop_bodies_of_nothing(document)
    for node in _values(document):
        if "enum" in node:
            _name_members(node)
        # A number of no format is a decimal to Kotlin's generator, which writes it as a string.
        if node.get("type") == "number":
            node.setdefault("format", "double")


def _follow(node: Any) -> None:
    for value in _values(node):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(_REF):
            name = reference.removeprefix(_REF)
            value["$ref"] = _REF + NAMES.get(name, name)


def _take_out(fields: dict[str, Any], field: str, reference: str) -> dict[str, Any]:
    schema, members = fields[field], [value for value in fields[field]["enum"] if value is not None]
    fields[field] = {"$ref": reference}
    if None in schema["enum"]:
        fields[field] = {"oneOf": [{"$ref": reference}, {"type": "null"}]}
    return {"type": "string", "enum": members}


def _state_empty_defaults(schema: dict[str, Any]) -> None:
    """A list that may be left out is empty then. Litestar does not say so, and a generator that knows no
    default sends null in its place, which is refused."""
    for name, field in schema.get("properties", {}).items():
        if name not in schema.get("required", ()) and "default" not in field:
            if field.get("type") == "array":
                field["default"] = []
            elif field.get("type") == "object" and "properties" not in field:
                field["default"] = {}


def _drop_bodies_of_nothing(document: dict[str, Any]) -> None:
    """Of a handler that answers 200 with no body Litestar says: the JSON value null. A generator calls it by
    the name of a class that no language has."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                kinds = [media.get("schema") for media in answer.get("content", {}).values()]
                if kinds and all(kind == {"type": "null"} for kind in kinds):
                    del answer["content"]


def _name_members(schema: dict[str, Any]) -> None:
    values = [value for value in schema["enum"] if value is not None]
    if all(isinstance(value, str) for value in values) and not all(map(_PLAIN.fullmatch, values)):
        schema["x-enum-varnames"] = [_member(value) for value in values]


def _member(value: str) -> str:
    if value in _MEMBERS:
        return _MEMBERS[value]
    head, tail = value.rstrip("+-"), value[len(value.rstrip("+-")) :]
    return head + _MEMBERS[tail] if tail else head


def _values(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _values(child)
