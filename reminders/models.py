"""A reminder, its times and what became of them, as kept and as shown."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

Kind = Literal["medication", "revisit", "exam", "vaccination", "measurement", "nutrition", "card", "custom"]
# asks: the text leaves a time or an end open, and the person is asked, or it is no daily one, which a
# pharmacist knows; as-needed: on fever or pain, no times.
State = Literal["active", "asks", "as-needed", "paused", "stopped", "ended"]
Asks = Literal["times", "end", "pharmacist"]
# Why the person is asked. range: `2-3 times`; times-differ: it names more or fewer times than it says;
# too-often: more often than the day has parts; unread: words of other days, doses or a choice that were not
# understood; changing-dose: of a stage the times or the length is missing; too-little: less was handed out
# than one dose.
Why = Literal[
    "no-frequency",
    "range",
    "times-differ",
    "too-often",
    "unread",
    "changing-dose",
    "no-end",
    "too-little",
]
# sum, quantity: numbers that do not agree; amount-range: how much each time is said as a range, and no amount
# is told.
Check = Literal["sum", "quantity", "amount-range"]
# done: its cause was done (visited, vaccinated); cancelled: its cause fell away.
EndReason = Literal["used-up", "replaced", "withdrawn", "done", "cancelled"]
# answered: taken or skipped before its time.
Outcome = Literal["told", "late", "paused", "death-reported", "not-seen", "answered"]

# No occurrence follows from these.
WAITS: Final[frozenset[State]] = frozenset({"asks", "as-needed", "stopped", "ended"})


class Phase(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stage of a dose that changes: for `days` days (None: to the end of the plan) `times` of a day, every
    `every_days` days. amounts: how much at each time, in the text's unit, as decimal text; empty where the
    text does not say."""

    days: int | None = None
    times: tuple[time, ...] = ()
    amounts: tuple[str, ...] = ()
    every_days: int = 1


class Plan(Struct, frozen=True, kw_only=True):
    """What a dose text comes to. times: local wall times of a day, in order; interval_hours: hours between
    two doses where they do not divide the day; every_days: 2 is every other day; weekdays: 1 is Monday, empty
    is every day; phases: stages of a dose that changes; doses: how many in all, None where no end is
    known; why: the reason of a question."""

    state: Literal["active", "asks", "as-needed"]
    asks: Asks | None = None
    why: Why | None = None
    times: tuple[time, ...] = ()
    interval_hours: int | None = None
    every_days: int = 1
    weekdays: tuple[int, ...] = ()
    phases: tuple[Phase, ...] = ()
    doses: int | None = None
    checks: tuple[Check, ...] = ()


class Reminder(Struct, frozen=True):
    """A plan and how far it is. doses_due: occurrences so far; next_at: None where none follows;
    own_length_of: how much was handed out when the person said how long, None where the text says it.
    source: what it came from, one reminder each; prescription_id and line: of a medicine alone.
    every_days, weekdays, on_days: on which days, see `policy.next_after`; phases: JSON list of `Phase`."""

    patient_id: UUID
    reminder_id: UUID
    kind: Kind
    prescription_id: UUID | None
    line: int | None
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
    source: str = ""
    every_days: int = 1
    weekdays: list[int] = []
    on_days: list[date] = []
    phases: str | None = None
