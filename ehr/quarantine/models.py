"""What waits, as it is kept, and what those who work it off are shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ehr.intake.models import Sex, Unit
from ehr.models import Item, NewResource

Kind = Literal["unit", "review", "part"]
Act = Literal[
    "kept",
    "viewed",
    "proposed",
    "resolved",
    "returned",
    "opened",
    "released",
    "refused",
    "expired",
    "reverted",
    "replaced",
]
# What a sender is told that has to look again: of a closed list, so that no answer holds a value.
ReturnCode = Literal[
    "number-wrong",
    "name-wrong",
    "birth-date-wrong",
    "sex-wrong",
    "mother-wrong",
    "not-a-patient",
    "send-again",
]


class KeptUnit(Struct, kw_only=True):
    """A unit whose person is not certain, after the gate: all that importing it later needs."""

    unit: Unit


class KeptLines(Struct, kw_only=True):
    """An ambiguous medicine with what stands or falls with it, as rows ready to be written.

    unit: the record's name of the unit, None outside snapshots. patient_id: set when it was taken out of a
    book; else the person its unit went to.
    """

    source_id: str
    unit: str | None
    rows: list[NewResource]
    patient_id: UUID | None = None


class Waiting(Struct, kw_only=True):
    """One thing that waits: no person, no content. unit: its place in what was sent."""

    quarantine_id: UUID
    facility_id: UUID | None
    facility_name: str | None
    received_at: datetime
    reason: str
    unit: str
    receipt_id: UUID | None
    proposed: bool


class Presented(Struct, kw_only=True):
    """Who the sender says the unit is about."""

    name: str | None
    birth_date: str | None
    sex: Sex | None
    newborn: bool
    mother_number: str | None
    identifiers: list[tuple[str, str]]


class Known(Struct, kw_only=True):
    """A person who has one of the presented numbers (`kinds`), as the register knows them."""

    patient_id: UUID
    kinds: list[str]
    name: str | None
    birth_date: str | None
    sex: str


class Comparison(Struct, kw_only=True):
    """What was presented beside what is known; nothing of any record."""

    waiting: Waiting
    presented: Presented
    known: list[Known]


class Worked(Struct, kw_only=True):
    """What became of it. proposed: a second officer of another facility has to agree."""

    state: Literal["proposed", "resolved", "returned", "released", "refused"]


class Line(Struct, kw_only=True):
    """An ambiguous line as its reviewer reads it; whose it is is not told."""

    waiting: Waiting
    items: list[Item]


class Returned(Struct, kw_only=True):
    """A unit that its sender has to look at again: where it stood in which sending, and why."""

    quarantine_id: UUID
    returned_at: datetime
    receipt_id: UUID | None
    unit: str
    code: str
