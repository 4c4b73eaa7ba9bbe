"""A reminder, its times and what became of them, as kept and as shown."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

Kind = Literal["medication"]
# asks: the text leaves a time or an end open, and the person is asked, or it is no daily one, which a
# pharmacist knows; as-needed: on fever or pain, no times.
State = Literal["active", "asks", "as-needed", "paused", "stopped", "ended"]
Asks = Literal["times", "end", "pharmacist"]
Check = Literal["sum", "quantity"]
EndReason = Literal["used-up", "replaced", "withdrawn"]
Outcome = Literal["told", "late", "paused", "death-reported", "not-seen"]

# No occurrence follows from these.
WAITS: Final[frozenset[State]] = frozenset({"asks", "as-needed", "stopped", "ended"})


class Plan(Struct, frozen=True, kw_only=True):
    """What a dose text comes to. times: local wall times of a day, in order; interval_hours: hours between
    two doses where they do not divide the day; doses: how many in all, None where no end is known."""

    state: Literal["active", "asks", "as-needed"]
    asks: Asks | None = None
    times: tuple[time, ...] = ()
    interval_hours: int | None = None
    doses: int | None = None
    checks: tuple[Check, ...] = ()


class Reminder(Struct, frozen=True):
    """One line's plan and how far it is. doses_due: occurrences so far; next_at: None where none follows;
    own_length_of: how much was handed out when the person said how long, None where the text says it."""

    patient_id: UUID
    reminder_id: UUID
    kind: Kind
    prescription_id: UUID
    line: int
    state: State
    asks: Asks | None
    own_times: bool
    times: list[time]
    interval_hours: int | None
    zone: str
    checks: list[Check]
    starts_on: date
    doses: int | None
    doses_due: int
    next_at: datetime | None
    last_at: datetime | None
    end_reason: EndReason | None
    version: int
    changed_at: datetime
    own_length_of: Decimal | None = None


class ReminderShown(Struct, frozen=True, kw_only=True):
    """A reminder as the phone sets its alarms by it. medication_id: the line among the medicines. times:
    HH:MM of `zone`, every day from starts_on; with interval_hours every so many hours from next_at.
    doses_left: null where the end is not known. asks and text_vi: what the person is asked. checks: what of
    the dose text does not agree with itself, the number in brackets (sum) or the quantity."""

    reminder_id: UUID
    kind: Kind
    prescription_id: UUID
    medication_id: str
    title: str
    dosage: list[str]
    state: State
    asks: Asks | None
    text_vi: str | None
    times: list[str]
    own_times: bool
    interval_hours: int | None
    zone: str
    starts_on: date
    doses_left: int | None
    next_at: datetime | None
    checks: list[Check]
    end_reason: EndReason | None
    version: int


class Reminders(Struct, frozen=True, kw_only=True):
    """Reminders of the lines that the reader sees, the next one first. defaults_version: of our times."""

    items: list[ReminderShown]
    defaults_version: str
    notice_vi: str
