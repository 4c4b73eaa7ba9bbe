"""A filled-in check as a facility sends it, what it gets back, and what readers are shown."""

from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from ehr.entry.models import EntryPerson, EntryStatus, Words
from ehr.health_checks.rules import Due
from ehr.health_checks.templates import CheckForm, CheckKind
from ehr.intake.models import PersonFacts
from ehr.reads.models import Notice

VALUES_MAX: Final = 250
# Beside a field that is called date.
Day: TypeAlias = date
CheckNumber = Annotated[str, Meta(min_length=1, max_length=60)]
HealthClass = Annotated[str, Meta(min_length=1, max_length=100)]
Conclusion = Annotated[str, Meta(min_length=1, max_length=2000)]


class CheckBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """One check. check_number: the facility's own; with kind and day it says which check this is. form and
    form_version: a template (the newest without a version); values: its fields by name as texts, decimals
    with a point or comma, yes-no as 1 and 0. health_class, conclusion, valid_until: as the facility wrote."""

    kind: CheckKind
    form: Annotated[str, Meta(min_length=1, max_length=40)]
    form_version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    check_number: CheckNumber
    done_on: date
    person: EntryPerson
    health_class: HealthClass | None = None
    conclusion: Conclusion | None = None
    valid_until: date | None = None
    values: Annotated[dict[str, Words], Meta(max_length=VALUES_MAX)] = {}


class Filled(Struct, frozen=True, kw_only=True):
    """A check however it came, before its values are read. person: with its faults told elsewhere."""

    form: CheckForm
    kind: CheckKind
    number: str
    done_on: date
    person: PersonFacts
    values: dict[str, str]
    health_class: str | None = None
    conclusion: str | None = None
    valid_until: date | None = None


class CheckReceipt(Struct, frozen=True, kw_only=True):
    """The same for known, unknown and conflicting persons (S19). version: 1, and one more per change."""

    check_id: UUID
    version: int
    status: EntryStatus
    recorded_at: datetime
    changed_at: datetime


class FieldShown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field of a template, for whoever fills it in. name: the key in `values`, and the heading of a column;
    plausible: what is taken at all, no judgement."""

    name: str
    title: str
    type: str
    section: str
    unit: str = ""
    is_required: bool = False
    plausible: str = ""
    choices: dict[str, str] = {}
    length_max: int = 300


class FormShown(Struct, frozen=True, kw_only=True):
    """A template. columns: all headings that a session's table may have, those of the person included."""

    form: str
    version: int
    title: str
    source: str
    note: str
    kinds: list[CheckKind]
    fields: list[FieldShown]
    columns: list[str]
    required_columns: list[str]


class FormsShown(Struct, frozen=True, kw_only=True):
    forms: list[FormShown]


class HealthCheck(Struct, frozen=True, kw_only=True):
    """A check in a list. Everything is as the facility wrote it. validity: of valid_until, today.

    visit_id: the visit in the book where its signs, diagnoses and results stand too.
    """

    id: str
    kind: CheckKind
    kind_vi: str
    form: str
    form_version: int
    date: str | None
    facility_name: str | None
    health_class: str | None
    conclusion: str | None
    valid_until: Day | None
    validity: Literal["valid", "ended", "not-stated"]
    visit_id: str | None
    hidden: bool = False
    disputed: bool = False


class HealthCheckPage(Struct, frozen=True, kw_only=True):
    """Checks, newest first. due: what is due next of each kind that is shown, on the first page."""

    items: list[HealthCheck]
    next: str | None
    due: list[Due]
    notice: Notice | None


class AnswerShown(Struct, frozen=True, kw_only=True):
    """A field with its value as text; a number keeps its zeros."""

    name: str
    title: str
    value: str
    unit: str | None


class SectionShown(Struct, frozen=True, kw_only=True):
    code: str
    title: str
    answers: list[AnswerShown]


class HealthCheckDetail(Struct, frozen=True, kw_only=True):
    check: HealthCheck
    sections: list[SectionShown]
    notice: Notice | None


class Compared(Struct, frozen=True, kw_only=True):
    """One field in two checks. change: of two numbers of one unit, with its sign; nothing is judged."""

    name: str
    title: str
    value: str | None
    unit: str | None
    value_before: str | None
    unit_before: str | None
    state: Literal["same", "changed", "only-now", "only-before", "units-differ"]
    change: str | None


class CheckComparison(Struct, frozen=True, kw_only=True):
    """A check beside an earlier one of its kind; before null: there is none."""

    check: HealthCheck
    before: HealthCheck | None
    lines: list[Compared]
    notice: Notice | None
