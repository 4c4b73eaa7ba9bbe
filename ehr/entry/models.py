"""The plain fields of a manual entry. Dates are FHIR dates; measures are decimal texts."""

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

LIST_MAX: Final = 50

Line = Annotated[str, Meta(min_length=1, max_length=300)]
Words = Annotated[str, Meta(min_length=1, max_length=4000)]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z./†*+_-]+$(?!\n)")]
IcdCode = Annotated[str, Meta(pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?[†*]?$(?!\n)")]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^[12][0-9]{3}(-[01][0-9](-[0-3][0-9](T[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?(Z|[+-][0-1][0-9]:[0-5][0-9]))?)?)?$(?!\n)",
        description="A FHIR date at the precision that is known, or an instant with its offset.",
    ),
]
DayOrInstant = Annotated[
    str,
    Meta(
        pattern=r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?(Z|[+-][0-1][0-9]:[0-5][0-9]))?$(?!\n)",
        description="A FHIR date, or an instant with its offset.",
    ),
]
Measure = Annotated[
    str, Meta(pattern=r"^[0-9]{1,4}(\.[0-9]{1,3})?$(?!\n)", description="A decimal number with a point.")
]
Amount = Annotated[str, Meta(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$(?!\n)")]


class EntryNumber(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that the person presented."""

    kind: Literal[
        "national-id", "old-id", "passport", "insurance-card", "insurance-number", "facility-patient-id"
    ]
    value: Annotated[str, Meta(min_length=1, max_length=100)]


class EntryPerson(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose record it is: it is matched by a number together with birth date, sex and name."""

    numbers: Annotated[list[EntryNumber], Meta(min_length=1, max_length=5)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    birth_date: Annotated[str, Meta(pattern=r"^[12][0-9]{3}(-[01][0-9](-[0-3][0-9])?)?$(?!\n)")]
    sex: Literal["male", "female", "unknown"]


class EntryEncounter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The visit. visit_number: the facility's own."""

    kind: Literal["outpatient", "inpatient", "emergency", "home", "remote"]
    started_at: DayOrInstant
    ended_at: DayOrInstant | None = None
    department: Line | None = None
    reason: Line | None = None
    visit_number: Line | None = None


class EntryDiagnosis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first one of an entry is the main disease. code: ICD-10."""

    name: Line
    code: IcdCode | None = None


class EntryVitalSigns(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """pulse and respiration per minute, temperature °C, pressures mmHg, oxygen_saturation %, height and
    waist cm, weight kg."""

    pulse: Measure | None = None
    temperature: Measure | None = None
    systolic: Measure | None = None
    diastolic: Measure | None = None
    respiration: Measure | None = None
    oxygen_saturation: Measure | None = None
    height: Measure | None = None
    weight: Measure | None = None
    waist: Measure | None = None


class EntryResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test or an image read. value: a number has its unit beside it; text may stand there too."""

    kind: Literal["laboratory", "imaging"]
    name: Line
    code: Code | None = None
    value: Line | None = None
    unit: Annotated[str, Meta(min_length=1, max_length=30)] | None = None
    conclusion: Words | None = None
    done_at: Moment | None = None


class EntryMedication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """dosage: as written (`2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]` or prose)."""

    name: Line
    strength: Line | None = None
    dosage: Words
    instruction: Words | None = None
    route: Line | None = None
    quantity: Amount | None = None
    unit: Annotated[str, Meta(min_length=1, max_length=30)] | None = None


class EntryAllergy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    substance: Line
    category: Literal["food", "medication", "environment", "biologic"] | None = None
    reaction: Line | None = None
    severity: Literal["mild", "moderate", "severe"] | None = None


class EntryImmunization(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vaccine: Line
    code: Code | None = None
    given_at: Moment
    lot_number: Line | None = None
    dose_number: Annotated[int, Meta(ge=1, le=20)] | None = None


class EntryProcedure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Line
    code: Code | None = None
    performed_at: Moment | None = None


class EntryBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """One visit as the staff of a facility without software types it in. A clerk may fill person, encounter
    and revisit_on; the rest is for doctors and nurses."""

    person: EntryPerson
    encounter: EntryEncounter
    diagnoses: Annotated[list[EntryDiagnosis], Meta(max_length=LIST_MAX)] = []
    vital_signs: EntryVitalSigns | None = None
    results: Annotated[list[EntryResult], Meta(max_length=LIST_MAX)] = []
    medications: Annotated[list[EntryMedication], Meta(max_length=LIST_MAX)] = []
    allergies: Annotated[list[EntryAllergy], Meta(max_length=LIST_MAX)] = []
    immunizations: Annotated[list[EntryImmunization], Meta(max_length=LIST_MAX)] = []
    procedures: Annotated[list[EntryProcedure], Meta(max_length=LIST_MAX)] = []
    advice: Words | None = None
    revisit_on: date | None = None

    @property
    def is_clinical(self) -> bool:
        """Whether it says anything that a clerk may not."""
        lists = (self.diagnoses, self.results, self.medications, self.allergies, self.immunizations)
        return any(lists) or bool(self.procedures or self.vital_signs or self.advice)


EntryStatus = Literal["recorded", "amended", "withdrawn"]


class EntryReceipt(Struct, frozen=True, kw_only=True):
    """The same for known, unknown and conflicting persons (S19). version: 1, and one more per change."""

    entry_id: UUID
    version: int
    status: EntryStatus
    recorded_at: datetime
    changed_at: datetime


class EntryRow(Struct, frozen=True):
    entry_id: UUID
    version: int
    status: EntryStatus
    recorded_at: datetime
    changed_at: datetime
    changed_by: UUID

    @property
    def receipt(self) -> EntryReceipt:
        return EntryReceipt(
            entry_id=self.entry_id,
            version=self.version,
            status=self.status,
            recorded_at=self.recorded_at,
            changed_at=self.changed_at,
        )
