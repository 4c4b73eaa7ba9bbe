"""What a partner is handed (QĐ 31/QĐ-BYT 2026, art. 2 k3; field by field in docs/mapping.md).

What nobody reported is absent: no field is ever filled with a guess. Dates are FHIR dates at the precision
they were reported with; quantities are decimal texts with their zeros. The published JSON Schema is made of
these Structs (partners/records/schema.py).
"""

from typing import Literal

from msgspec import Struct

from ehr.models import Flag, Part, Range

SCHEMA_VERSION = "1"


class Coded(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A thing as its sender named it. code_system: a URI; text: the sender's words, or the official name."""

    text: str | None = None
    code: str | None = None
    code_system: str | None = None


class InsuranceCard(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One card as facilities reported it. Its number is one of insurance_numbers; which one nobody kept."""

    valid_from: str | None = None
    valid_until: str | None = None
    initial_facility_code: str | None = None
    initial_facility_name: str | None = None


class Representative(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who represents a child by law. Number and phone are that person's own and are not handed on."""

    relation: Literal["guardian"]
    name: str | None = None


class Administrative(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Group (a). phone: where the person signs in; what others wrote down may be a relative's."""

    name: str | None = None
    birth_date: str | None = None
    sex: Literal["male", "female"] | None = None
    ethnic_group: Coded | None = None
    nationality: Coded | None = None
    occupation: Coded | None = None
    personal_number: str | None = None
    phone: str | None = None
    insurance_numbers: list[str] = []
    insurance_cards: list[InsuranceCard] = []
    address: str | None = None
    legal_representatives: list[Representative] = []


class Allergy(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """title: the substance; status: FHIR's clinical status. disputed: the person says that it is wrong;
    self_declared: no facility reported it."""

    title: str = ""
    code: str | None = None
    code_system: str | None = None
    status: str
    category: str | None = None
    criticality: str | None = None
    reactions: list[str] = []
    since: str | None = None
    facility: str | None = None
    self_declared: bool = False
    disputed: bool = False


class Disease(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One disease of all that visits repeat of it. last_on: the newest that says so."""

    title: str = ""
    code: str | None = None
    code_system: str | None = None
    status: str
    first_on: str | None = None
    last_on: str | None = None
    ended_on: str | None = None
    facility: str | None = None
    self_declared: bool = False
    disputed: bool = False


class Vaccination(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One dose; title: the vaccine. antigens: the diseases it is against, where its sender says them."""

    title: str = ""
    code: str | None = None
    code_system: str | None = None
    status: str
    antigens: list[str] = []
    dose_number: str | None = None
    lot_number: str | None = None
    date: str | None = None
    facility: str | None = None
    self_declared: bool = False
    disputed: bool = False


# none-known: somebody asked; not-asked: nobody said anything.
Asked = Literal["listed", "none-known", "not-asked"]


class History(Struct, frozen=True, kw_only=True):
    """Group (b). more: the lists were cut at their limit."""

    allergies_state: Asked
    allergies: list[Allergy]
    diseases_state: Asked
    diseases: list[Disease]
    vaccinations: list[Vaccination]
    more: bool


# What happened in an encounter has the names of the stored items (ehr/models.py), which decode straight into
# these: a long record has hundreds. A field that is not named here is not taken over.


class Diagnosis(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    title: str = ""
    code: str | None = None
    code_system: str | None = None
    main: bool = False
    disputed: bool = False


class TestResult(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """range: what was valid at this result; parts: of a result that has several; text: its note."""

    title: str = ""
    code: str | None = None
    code_system: str | None = None
    status: str
    value: str | None = None
    unit: str | None = None
    range: Range | None = None
    flag: Flag | None = None
    parts: list[Part] = []
    text: str | None = None
    date: str | None = None
    disputed: bool = False


class Imaging(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A study or its report. lines: what the report finds."""

    title: str = ""
    code: str | None = None
    code_system: str | None = None
    status: str
    modality: str | None = None
    lines: list[str] = []
    date: str | None = None
    disputed: bool = False


class Medicine(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A medicine as prescribed. dosage: the prescriber's words."""

    title: str = ""
    code: str | None = None
    code_system: str | None = None
    status: str
    dosage: list[str] = []
    date: str | None = None
    disputed: bool = False


class ProcedureDone(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    title: str = ""
    code: str | None = None
    code_system: str | None = None
    status: str
    date: str | None = None
    disputed: bool = False


class Visit(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Group (c), one encounter. more: it holds more than is listed."""

    encounter_id: str
    status: str
    facility: str | None = None
    start: str | None = None
    end: str | None = None
    form_of_care: Coded | None = None
    reasons: list[str] = []
    discharge_status: Coded | None = None
    result: Coded | None = None
    diagnoses: list[Diagnosis] = []
    blood_group: str | None = None
    height_cm: str | None = None
    weight_kg: str | None = None
    results: list[TestResult] = []
    imaging: list[Imaging] = []
    medicines: list[Medicine] = []
    procedures: list[ProcedureDone] = []
    disputed: bool = False
    more: bool = False


class VisitSummary(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Group (d), what one encounter came to. course: history and course of the illness, which the national
    form has in one field."""

    encounter_id: str
    facility: str | None = None
    start: str | None = None
    end: str | None = None
    course: str | None = None
    results: str | None = None
    treatment: list[str] = []
    onward_plan: str | None = None
    prescription: list[Medicine] = []
    advice: list[str] = []
    revisits: list[str] = []
    doctors: list[str] = []
    disputed: bool = False
    more: bool = False


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The groups that were asked for and are in the consent; a group that was not is absent.

    next: hand it in as `before` for the encounters before these. stale_sources: other record systems that
    could know more and were not reached lately.
    """

    schema: Literal["1"]
    administrative: Administrative | None = None
    history: History | None = None
    encounters: list[Visit] | None = None
    summaries: list[VisitSummary] | None = None
    next: str | None = None
    stale_sources: list[str] = []
