"""Rows of the exchange, and what operators and facilities are shown of it."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

# waiting: not told yet. stopped: an operator goes on, or closes it. withheld: nothing that may leave is
# there (hidden by its person, sensitive, retracted). superseded: a later message about the same check took
# its place. withdrawn: taken back before it was made. closed: an operator let it be.
State = Literal["waiting", "accepted", "stopped", "withheld", "superseded", "withdrawn", "closed"]
Outcome = Literal["taken", "quarantined", "kept-own", "older-version", "refused"]

SEND_JOB: Final = "axis-send"


class SenderRow(Struct, frozen=True):
    """A facility whose health checks are exchanged. basis: on what ground, in words of an operator."""

    facility_id: UUID
    basis: str
    allowed_at: datetime
    ended_at: datetime | None
    held_at: datetime | None
    held_reason: str | None

    @property
    def is_allowed(self) -> bool:
        return self.ended_at is None


class MessageRow(Struct, frozen=True):
    """A message on its way out. body_sealed: the bytes that leave, from when it was made until the answer."""

    patient_id: UUID
    message_id: UUID
    facility_id: UUID
    check_id: UUID
    state: State
    planned_at: datetime
    due_by: datetime
    made_at: datetime | None
    msg_id: str | None
    body_sealed: bytes | None
    attempts: int
    withdrawn_at: datetime | None


class Listed(Struct, frozen=True):
    """A message as an operator sees it: neither whose it is nor what it says."""

    message_id: UUID
    facility_id: UUID
    state: State
    planned_at: datetime
    due_by: datetime
    msg_id: str | None
    attempts: int
    failure: str | None
    reason: str | None


class Waiting(Struct, frozen=True):
    """How much of a facility has not been told, and since when the oldest waits."""

    waiting: int
    late: int
    stopped: int
    oldest: datetime | None


class InboundRow(Struct, frozen=True):
    """What became of a message that came."""

    msg_id: str
    digest: bytes
    outcome: Outcome
    code: str
    reply_id: str
    received_at: datetime


class Place(Struct, frozen=True):
    """Where a timer's message lies."""

    patient_id: UUID
    message_id: UUID


class Counted(Struct, frozen=True):
    """How many of a status and reason."""

    status: str
    reason: str
    count: int
