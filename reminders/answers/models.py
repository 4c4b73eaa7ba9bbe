"""Answers to times, as given, as kept and as counted."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from reminders.models import Kind

Act = Literal["taken", "skipped", "later"]
Status = Literal["recorded", "superseded", "unknown"]


class Given(Struct, frozen=True, kw_only=True):
    """One answer as the phone says it. at: when it was given, by the phone's clock. minutes: for `later`."""

    reminder_id: UUID
    due_at: datetime
    act: Act
    at: datetime
    minutes: int | None = None


class Answer(Struct, frozen=True):
    """One answer as it is kept. rings_at: when a time put off rings again."""

    patient_id: UUID
    reminder_id: UUID
    due_at: datetime
    act: Act
    at: datetime
    rings_at: datetime | None


class Noted(Struct, frozen=True, kw_only=True):
    """What became of one answer. superseded: one that was given later stands; unknown: no time of a reminder
    that whoever answers sees."""

    reminder_id: UUID
    due_at: datetime
    status: Status


class NotedAll(Struct, frozen=True, kw_only=True):
    """In the order in which they were sent."""

    items: list[Noted]


class Counted(Struct, frozen=True, kw_only=True):
    """One medicine of one week. due: times that came and were told; each is taken, skipped or unanswered."""

    reminder_id: UUID
    title: str
    due: int
    taken: int
    skipped: int
    unanswered: int


class Week(Struct, frozen=True, kw_only=True):
    """From a Monday on, in the zone of each reminder."""

    starts_on: date
    medicines: list[Counted]


class Adherence(Struct, frozen=True, kw_only=True):
    """The latest week first."""

    weeks: list[Week]
    notice_vi: str


class Came(Struct, frozen=True):
    """A time that came and was told, and what was said of it."""

    patient_id: UUID
    reminder_id: UUID
    due_at: datetime
    act: Act | None


class Open(Struct, frozen=True):
    """A time that was told and not answered, or put off. version: when its time came;
    is_merged: the person is of a merge; has_carer: somebody may be a guardian or proxy."""

    patient_id: UUID
    reminder_id: UUID
    due_at: datetime
    kind: Kind
    version: int
    is_merged: bool
    has_carer: bool
