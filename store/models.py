"""Rows of the store's own tables."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Event(Struct, frozen=True):
    """One outbox row. `ref` is a JSON object of ids; no personal data stands in it."""

    bucket: int
    event_id: UUID
    patient_id: UUID
    event: str
    ref: str
    attempts: int


class Due(Struct, frozen=True):
    """One claimed row of the due queue."""

    bucket: int
    due_at: datetime
    kind: str
    ref: str


class DueKind(Struct, frozen=True):
    """Work of one kind in one bucket, and when the first of it is due."""

    bucket: int
    kind: str
    due_at: datetime


class ForeignKey(Struct, frozen=True):
    """A foreign key as it is written behind ADD CONSTRAINT, between these tables."""

    on_table: str
    name: str
    to_table: str
    definition: str


class KeyApart(Struct, frozen=True):
    """A foreign key that is taken off while the tables are spread."""

    on_table: str
    name: str
    definition: str


class IdempotencyRow(Struct, frozen=True):
    """What is kept of a creating request: a keyed digest, never the body (security.md S14)."""

    digest_key_id: str
    digest: bytes
    status: int | None
    created_id: str | None


class AppliedMigration(Struct, frozen=True):
    version: int
    name: str
    sha256: bytes


class Epoch(Struct, frozen=True):
    """number: 0 where nothing was ever restored. started_at: None then."""

    number: int
    started_at: datetime | None


class JournalPosition(Struct, frozen=True):
    """How far the journal outside the database goes, as the database knows it."""

    seq: int
    h: bytes
    beat: int


class NumberedLine(Struct, frozen=True):
    seq: int
    line: str


class Recovery(Struct, frozen=True):
    """A restored database on its way: the next line of the journal to replay."""

    epoch: int
    began_at: datetime
    next_seq: int
    replayed: int


class Closing(Struct, frozen=True):
    """The end of an installation. closed_at: None while it serves. handed_over: by
    which the hand-over and its receipt are known again."""

    created_at: datetime
    closed_at: datetime | None
    handed_over: bytes | None
