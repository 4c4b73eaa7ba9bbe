"""A reminder as a reader sees it."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from reminders.models import Asks, EndReason, Kind, Phase, State

# The checks of a plan (reminders/models.py), and own-times: the person's own times are more or fewer a day
# than the text says; same-ingredient: another active medicine has it too, as medicine safety found.
Doubt = Literal["sum", "quantity", "amount-range", "own-times", "same-ingredient"]

What = Literal[
    "prescription",
    "order",
    "appointment",
    "referral",
    "registration",
    "booking",
    "vaccination-schedule",
    "insurance-card",
    "care-plan",
    "screening-rule",
    "nutrition",
    "own",
]


class CameFrom(Struct, frozen=True, kw_only=True):
    """Where a reminder comes from, and the text it was made of as it stands there. id: of that thing, where
    the app can open it: a prescription, an item of the book, a registration, a booking. facility_name: who
    wrote it. source: the rule or table that says so, where one does."""

    what: What
    id: str | None = None
    text: list[str] = []
    facility_name: str | None = None
    source: str | None = None


class PhaseShown(Struct, frozen=True, kw_only=True):
    """A stage of a dose that changes: for `days` days, null to the end of the plan, at `times` (HH:MM), every
    `every_days` days. amounts: how much at each time, as the text says; empty where it does not."""

    days: int | None
    times: list[str]
    amounts: list[str]
    every_days: int


class ReminderShown(Struct, frozen=True, kw_only=True):
    """A reminder as the phone sets its alarms by it. times: HH:MM of `zone`, from starts_on: on `on_days`
    where any are named, else on `weekdays` (1 is Monday, none is every day), `every_days` apart; with
    interval_hours every so many hours from next_at; phases: of a dose that changes. what: of a measurement.
    prescription_id, medication_id, dosage: of a medicine, the line among the medicines and its text.
    doses_left: null where the end is not known. asks and text_vi: what the person is asked. checks: what of
    the dose text does not agree with itself, the number in brackets (sum) or the quantity; that how much is a
    range, to be read in `dosage` (amount-range); and what text_vi says beside it: own times that are more or
    fewer than the text's (own-times), another active medicine of the same ingredient (same-ingredient).
    is_told: false where the person switched its kind off, so that its times go by untold. is_private: in the
    own book alone."""

    reminder_id: UUID
    kind: Kind
    prescription_id: UUID | None
    medication_id: str | None
    title: str
    dosage: list[str]
    what: str | None
    came_from: CameFrom
    is_private: bool
    state: State
    asks: Asks | None
    text_vi: str | None
    times: list[str]
    own_times: bool
    interval_hours: int | None
    every_days: int
    weekdays: list[int]
    on_days: list[date]
    phases: list[PhaseShown]
    zone: str
    starts_on: date
    doses_left: int | None
    next_at: datetime | None
    checks: list[Doubt]
    is_told: bool
    end_reason: EndReason | None
    version: int


class Reminders(Struct, frozen=True, kw_only=True):
    """Reminders whose cause the reader sees, the next one first. defaults_version: of our times."""

    items: list[ReminderShown]
    defaults_version: str
    notice_vi: str


def phase_shown(phase: Phase) -> PhaseShown:
    return PhaseShown(
        days=phase.days,
        times=[f"{at:%H:%M}" for at in phase.times],
        amounts=list(phase.amounts),
        every_days=phase.every_days,
    )
