"""The schedule's data, what it is counted from, and a person's schedule as an answer."""

from datetime import date
from typing import Literal

from msgspec import Struct

from ehr.reads.models import Notice

State = Literal[
    "not_yet", "due", "overdue", "given", "given_too_early", "deferred", "contraindicated", "aged_out"
]
HoldKind = Literal["deferred", "contraindicated"]


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """An age or an interval in calendar units; the parts are added one after the other, months first."""

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dose of one antigen. min_interval: from the dose that counted before it; overdue_after: the age up
    to which the source wants it, the overdue grace otherwise; before: the age from which it is given no
    more (exclusive); catch_up_before: the age from which nobody plans it any more, while a dose that was
    given later counts. confirmed: the source's own words were seen; unconfirmed: the fields of a confirmed
    row that are ours."""

    row: str
    antigen: str
    number: int
    title_vi: str
    min_age: Span = Span()
    min_interval: Span | None = None
    overdue_after: Span | None = None
    before: Span | None = None
    catch_up_before: Span | None = None
    confirmed: bool
    unconfirmed: list[str] = []
    source: str


class Unscheduled(Struct, frozen=True, forbid_unknown_fields=True):
    """An antigen that the programme names and whose rows are not known."""

    antigen: str
    note_vi: str
    source: str


class Version(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The schedule in force from a day on, until the next version's. rows_from: another version whose rows
    go on; until_age: from which age nothing of it is due any more (ours); catch_up_note_vi: what a catch-up
    plan does not know, to be shown with it."""

    version: str
    effective_from: date
    effective_confirmed: bool
    source: str
    note_vi: str
    catch_up_note_vi: str
    rows_from: str | None = None
    rows: list[Row] = []
    unscheduled: list[Unscheduled] = []
    overdue_grace_days: int
    deferral_days: int
    until_age: Span


class Given(Struct, frozen=True, kw_only=True):
    """One dose of the book as the schedule counts it. day: of a month or a year alone its last, so that
    nothing is planned too early."""

    immunization_id: str
    day: date
    is_exact: bool
    antigens: tuple[str, ...]
    dose_state: str


class Hold(Struct, frozen=True, kw_only=True):
    """A vaccinator wrote that a vaccine was not given. A deferral ends by itself, a contraindication with the
    next dose."""

    kind: HoldKind
    antigens: tuple[str, ...]
    day: date


class Booked(Struct, frozen=True, kw_only=True):
    """The vaccinator's next appointment; made: when it was written, where that is known."""

    antigens: tuple[str, ...]
    day: date


class PlannedDose(Struct, frozen=True, kw_only=True):
    """One row of the schedule for this person. due_on: from this day on, never before the minimum age or
    interval; of later rows as if all before it were given as soon as possible. overdue_from: the first day
    that counts as late, null for rows that are not confirmed. last_on: the last day it is given; plan_until:
    the last day on which it is planned, null where no age limit is known. given_on and
    immunization_id: the dose that counts for it; dose_state: that dose's state in the book.
    waits: for the dose before it."""

    row: str
    number: int
    title_vi: str
    state: State
    due_on: date | None
    overdue_from: date | None
    last_on: date | None
    plan_until: date | None
    given_on: date | None = None
    is_exact: bool = True
    immunization_id: str | None = None
    dose_state: str | None = None
    waits: bool = False
    booked_on: date | None = None
    confirmed: bool
    unconfirmed: list[str]
    source: str


class NotCounted(Struct, frozen=True, kw_only=True):
    """A dose that stands for no row: given before the minimum age or interval of `row`, or beyond the last
    row of its antigen. late_for: the row whose time was over on that day. confirmed: whether the rule by
    which it counts for nothing is; why_vi: the reason in words, and to ask where it is not."""

    immunization_id: str
    given_on: date
    state: Literal["given_too_early", "extra"]
    row: str | None
    late_for: str | None
    allowed_from: date | None
    confirmed: bool
    why_vi: str


class AntigenPlan(Struct, frozen=True, kw_only=True):
    antigen: str
    name_vi: str
    rows: list[PlannedDose]
    not_counted: list[NotCounted]


class Visit(Struct, frozen=True, kw_only=True):
    """What can be given on one day, if everything before it was given. rows: ids; confirmed: every row of
    the day is."""

    on: date
    rows: list[str]
    antigens: list[str]
    confirmed: bool


class Schedule(Struct, frozen=True, kw_only=True):
    """A person's schedule by the version in force today. next_visit: the next day with something to
    give; visits: the catch-up plan, day by day, to be shown with
    catch_up_note_vi; unplaced: doses of the book whose disease or day nobody
    knows, so that they count for nothing here. overdue_grace_days: ours, no rule names it."""

    version: str
    effective_from: date
    effective_confirmed: bool
    source: str
    note_vi: str
    catch_up_note_vi: str
    overdue_grace_days: int
    birth_date: date
    as_of: date
    items: list[AntigenPlan]
    next_visit: Visit | None
    visits: list[Visit]
    unscheduled: list[Unscheduled]
    unplaced: list[str]
    notice: Notice | None
