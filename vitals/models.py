"""What passes between the parts of vitals: what the gate let through, and what of it touched a rule.

Numbers are stored integers throughout (vitals/kinds.py): canonical unit x scale. Times are aware, in UTC.
"""

from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from vitals.wire import PointsDropped, Rejected, Source, SourceKind

# Bits of `flags`. The device's clock was more than five minutes off when it sent the item.
FLAG_CLOCK: Final = 1
CLOCK_OFFSET_MAX_MS: Final = 300_000

# Which source of steps or energy counts for an hour: the lowest. A device on the body before one in a pocket,
# both before what was typed.
PRIORITY: Final[dict[SourceKind, int]] = {
    "watch": 10,
    "band": 20,
    "strap": 30,
    "phone": 40,
    "manual": 90,
}
PRIORITY_OTHER: Final = 50

Removed = Literal["deleted", "window"]


class SampleRow(NamedTuple):
    """One value that passed the gate. source: index into the batch's sources; i: its place in the batch's
    list of samples; z: the item's own zone, minutes from UTC; end_t: of an interval."""

    id: UUID
    ver: int
    t: datetime
    end_t: datetime | None
    v: int
    v2: int | None
    kind: int
    source: int
    z: int
    ctx: int | None
    unit: int
    flags: int
    i: int = 0


class SeriesRow(NamedTuple):
    """Many points of one kind that passed the gate. step_ms: the constant step, with offsets None; else
    offsets: ms of each point after t0, never falling. values: as many int16 (array 'h'). i: its place in the
    batch's list of series."""

    id: UUID
    ver: int
    t0: datetime
    step_ms: int | None
    offsets: "array[int] | None"
    values: "array[int]"
    kind: int
    source: int
    z: int
    ctx: int | None
    unit: int
    flags: int
    i: int = 0


class Deleted(NamedTuple):
    """A deletion by id. ver: of this version and those before; None: for good. i: its place in the batch."""

    id: UUID
    ver: int | None
    i: int = 0


class WindowRow(NamedTuple):
    """A whole list of what the device still holds of `kinds` (stored numbers: every ctx of the kind) in
    [since, until); what is stored of its sources there and is not in `ids` goes. Only complete ones come
    here. i: its place in the batch."""

    kinds: tuple[int, ...]
    since: datetime
    until: datetime
    ids: Sequence[UUID]
    i: int = 0


class Accepted(NamedTuple):
    """A batch after the gate. sha256: of the decompressed body; cursors: given back once it is stored;
    clock_offset_ms: received - sent_at."""

    device: str
    seq: int
    sent_at: datetime
    sha256: bytes
    sources: Sequence[Source]
    samples: Sequence[SampleRow]
    series: Sequence[SeriesRow]
    deleted: Sequence[Deleted]
    windows: Sequence[WindowRow]
    cursors: dict[str, str]
    rejected: Sequence[Rejected]
    points_dropped: Sequence[PointsDropped]
    clock_offset_ms: int


class Touched(NamedTuple):
    """What a transaction changed of one stored kind: the points of [since, until] that are new, edited or
    gone, and the extremes of those that stand now (None where all are gone). newest_age: of the newest point
    that stands, by the server's clock (the device's offset is taken out); None where all are gone.
    is_removal: a point changed or went, so what was told may no longer hold. parts: the stretches of [since,
    until] that hold all of it; none: the whole."""

    kind: int
    since: datetime
    until: datetime
    v_min: int | None
    v_max: int | None
    v2_min: int | None
    v2_max: int | None
    newest_age: timedelta | None
    is_removal: bool
    parts: tuple[tuple[datetime, datetime], ...] = ()
