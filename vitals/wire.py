"""A batch as a phone sends it, and the answer. JSON or MessagePack; unknown fields are ignored.

`k` and `u` are plain text on purpose: one that nobody knows costs its item, not the batch.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

BYTES_MAX: Final = 4 * 1024 * 1024
SAMPLES_MAX: Final = 2_000
SERIES_MAX: Final = 500
POINTS_PER_SERIES_MAX: Final = 30_000
POINTS_MAX: Final = 60_000
DELETED_MAX: Final = 500
SOURCES_MAX: Final = 50
WINDOWS_MAX: Final = 50
WINDOW_IDS_MAX: Final = 10_000
STREAMS_MAX: Final = 100
DEVICE_PATTERN: Final = r"^[A-Za-z0-9._:-]{1,64}$(?!\n)"
BIGINT_MAX: Final = 2**63 - 1

SourceKind: TypeAlias = Literal[
    "watch",
    "band",
    "phone",
    "cuff",
    "meter",
    "cgm",
    "scale",
    "thermometer",
    "oximeter",
    "strap",
    "manual",
    "other",
]
Code: TypeAlias = Literal[
    "kind-unknown",
    "unit-unknown",
    "implausible",
    "future",
    "too-old",
    "tz-missing",
    "source-index",
    "context-missing",
    "interval-invalid",
    "series-shape",
    "series-not-allowed",
    "version-conflict",
    "not-yours",
    "too-many",
    "malformed",
]
Part: TypeAlias = Literal["sources", "samples", "series", "deleted", "streams", "windows"]

Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
Device: TypeAlias = Annotated[str, Meta(pattern=DEVICE_PATTERN)]
Seq: TypeAlias = Annotated[int, Meta(ge=0, le=BIGINT_MAX)]
# PostgreSQL text holds no U+0000, and no name has a control character. `$` alone passes a last line feed.
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Word: TypeAlias = Annotated[str, Meta(max_length=40)]
Version: TypeAlias = Annotated[int, Meta(ge=0, le=BIGINT_MAX)]
Zone: TypeAlias = Annotated[int, Meta(ge=-720, le=840)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=1, le=24 * 3600 * 1000)]
Delta: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1)]


# How much of each there may be is counted after reading (vitals/decoding.py); these tell it to the document.
Place: TypeAlias = Annotated[int, Meta(extra_json_schema={"minimum": 0, "maximum": SOURCES_MAX - 1})]
Values: TypeAlias = Annotated[list[float], Meta(extra_json_schema={"maxItems": POINTS_PER_SERIES_MAX})]
Deltas: TypeAlias = Annotated[list[Delta], Meta(extra_json_schema={"maxItems": POINTS_PER_SERIES_MAX - 1})]


class Source(Struct, omit_defaults=True):
    """What measured, through which app. app: its package or bundle id. model: of the device.
    method: `manual` where somebody typed the value."""

    app: Name
    kind: SourceKind
    model: Name | None = None
    method: Literal["automatic", "manual"] = "automatic"


def is_sensor(kind: str, method: str) -> bool:
    """Whether a source measures glucose all the time: the one definition, for its limits of age and for the
    profile. What an app passes on of somebody's finger is none."""
    return kind == "cgm" and method == "automatic"


class Sample(Struct, omit_defaults=True):
    """One value. id: of the record on the phone. k: kind, u: unit (UCUM), s: place in `sources`, t: when it
    was measured or began, end: when it ended, v: the value, v2: diastolic, z: zone offset in minutes,
    ver: version of the record; the highest stands, ctx: circumstances, by the kind."""

    id: UUID
    k: Word
    t: Time
    v: float
    u: Word
    s: Place = 0
    ver: Version = 1
    v2: float | None = None
    end: Time | None = None
    z: Zone | None = None
    ctx: Word | None = None


class Series(Struct, omit_defaults=True):
    """Points of one client record. One of step_ms and dt_ms; step_ms: milliseconds from point to point;
    dt_ms: one delta to the point before, in milliseconds, for every point but the first, which stands at t0.
    k: kind, u: unit (UCUM), v: the values, s: place in `sources`, z: zone offset in minutes,
    ver: version of the record; the highest stands, ctx: circumstances, by the kind."""

    id: UUID
    k: Word
    t0: Time
    u: Word
    v: Values
    s: Place = 0
    ver: Version = 1
    step_ms: Milliseconds | None = None
    dt_ms: Deltas | None = None
    z: Zone | None = None
    ctx: Word | None = None


class Deletion(Struct, omit_defaults=True):
    """ver: the highest version that is deleted; without it the id is gone for good."""

    id: UUID
    ver: Version | None = None


class Cursor(Struct):
    """How far the phone had read a stream; given back when the batch is stored."""

    cursor: Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00]*$(?!\n)")]


class Window(Struct):
    """All ids that a device still has of one kind between two times. k: kind. complete: nothing was left
    out. ids: of the records on the phone; what is here of that time and not among them goes."""

    stream: Name
    k: Word
    since: Time
    until: Time
    complete: bool
    ids: Annotated[list[UUID], Meta(max_length=WINDOW_IDS_MAX)]


class Batch(Struct):
    """What one phone sends at once. device: the phone's own name for itself, the same in every batch.
    seq: counts its batches; a repeat of the same bytes is answered again. sent_at: the phone's clock.
    deleted: records that the phone deleted. streams: how far the phone had read each source of records.
    windows: what the phone still has, after a token was lost."""

    device: Device
    seq: Seq
    sent_at: Time
    sources: Annotated[list[Source], Meta(extra_json_schema={"maxItems": SOURCES_MAX})]
    samples: Annotated[list[Sample], Meta(extra_json_schema={"maxItems": SAMPLES_MAX})] = []
    series: Annotated[list[Series], Meta(extra_json_schema={"maxItems": SERIES_MAX})] = []
    deleted: Annotated[list[Deletion], Meta(extra_json_schema={"maxItems": DELETED_MAX})] = []
    streams: Annotated[dict[Name, Cursor], Meta(extra_json_schema={"maxProperties": STREAMS_MAX})] = {}
    windows: Annotated[list[Window], Meta(extra_json_schema={"maxItems": WINDOWS_MAX})] = []


class Rejected(Struct, omit_defaults=True):
    """An item that is not taken, for good: the phone drops it. of, i: its place in the batch."""

    of: Part
    i: int
    code: Code
    id: UUID | None = None


class PointsDropped(Struct):
    """Implausible points of a series that was stored without them. i: the place of the series."""

    i: int
    id: UUID
    n: int


class Next(Struct):
    """max_samples, wait_s: for the next batch. hint: `advance` where the same ids keep coming and nothing of
    them is new: go on to the next ones."""

    max_samples: int = SAMPLES_MAX
    wait_s: int = 0
    hint: Literal["advance"] | None = None


class Ack(Struct, kw_only=True):
    """What became of a batch, once it is stored. seq: of that batch. stored, updated: items that are new or a
    newer version. duplicate: items that were here. deleted: ids that are kept out from now on.
    points: those of stored series. points_dropped: implausible ones that were left out.
    cursors: of the batch's streams; keep the new ones only now. clock_offset_ms: by how much the phone's
    clock was behind. alerts: opened by it."""

    seq: int
    stored: int
    updated: int
    duplicate: int
    deleted: int
    points: int
    rejected: list[Rejected]
    points_dropped: list[PointsDropped]
    cursors: dict[str, str]
    clock_offset_ms: int
    alerts: list[UUID]
    next: Next
