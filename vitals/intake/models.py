"""Rows of the intake as they lie in the tables, and what one transaction changes."""

from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from vitals.intake.sums import Point


class Head(Struct, frozen=True):
    """As table vital_head."""

    series_span: timedelta
    archived_until: datetime | None
    samples_until: datetime | None
    archived_day: date | None


class Opening(Struct, frozen=True):
    """What is known before anything is stored: the same batch's first answer, and tombs of its ids (JSON)."""

    sha256: bytes | None
    ack: str | None
    tombs: str | None


class Answered(Struct, frozen=True):
    """What the first batch of a number was, and its answer (JSON)."""

    sha256: bytes
    ack: str


class Tomb(Struct, frozen=True):
    """What keeps an id out; see table vital_tomb."""

    id: UUID
    ver: int | None
    reason: str
    device_id: str
    seq: int
    deleted_ver: int | None


class SourceRow(Struct, frozen=True):
    source_id: int
    device_id: str
    app: str
    model: str
    kind: str
    method: str


class StoredSample(Struct, frozen=True):
    id: UUID
    ver: int
    t: datetime
    end_t: datetime | None
    v: int
    v2: int | None
    kind: int
    source_id: int
    z: int
    ctx: int | None
    unit: int

    @property
    def point(self) -> Point:
        return Point(self.t, self.v, self.id, self.v2, self.kind, self.source_id, self.z)


class StoredSeries(Struct, frozen=True):
    id: UUID
    ver: int
    t0: datetime
    kind: int
    source_id: int
    z: int
    ctx: int | None
    unit: int
    n: int
    pack: bytes


class Held(Struct, frozen=True):
    """A record that stands, with its version and how many points it has."""

    id: UUID
    ver: int
    n: int


class Standing(Struct, frozen=True):
    """A record that stands: how many points it has, and which device sent it."""

    id: UUID
    n: int
    device_id: str


class HourCount(Struct, frozen=True):
    """How many points an hour counts."""

    kind: int
    h: datetime
    day: date
    source_id: int
    n: int


class Latest(Struct, frozen=True):
    kind: int
    t: datetime
    v: int
    v2: int | None
    source_id: int
    id: UUID
