"""From bytes to a batch: gzip, JSON or MessagePack, and one item at a time where one is malformed."""

import hashlib
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from kernel.problems import ProblemType, Refused
from vitals.problems import BATCH_MALFORMED, BATCH_TOO_LARGE
from vitals.wire import (
    BYTES_MAX,
    DELETED_MAX,
    POINTS_MAX,
    POINTS_PER_SERIES_MAX,
    SAMPLES_MAX,
    SERIES_MAX,
    SOURCES_MAX,
    STREAMS_MAX,
    WINDOWS_MAX,
    Batch,
    Code,
    Cursor,
    Deletion,
    Device,
    Name,
    Part,
    Rejected,
    Sample,
    Seq,
    Series,
    Source,
    Time,
    Window,
)

Form: TypeAlias = Literal["json", "msgpack"]
Item = TypeVar("Item")

_GZIP: Final = 31  # zlib's window bits for the gzip container


class Decoded(Struct, frozen=True, kw_only=True):
    """A batch with None in the place of each item that could not be read; `rejected` says why.

    sha256: of the decompressed body.
    """

    sha256: bytes
    device: str
    seq: int
    sent_at: datetime
    sources: Sequence[Source | None]
    samples: Sequence[Sample | None]
    series: Sequence[Series | None]
    deleted: Sequence[Deletion | None]
    windows: Sequence[Window | None]
    streams: dict[str, Cursor]
    rejected: list[Rejected]


class _Envelope(Struct):
    """A batch whose items are not looked at yet."""

    device: Device
    seq: Seq
    sent_at: Time
    sources: list[Raw]
    samples: list[Raw] = []
    series: list[Raw] = []
    deleted: list[Raw] = []
    streams: dict[str, Raw] = {}
    windows: list[Raw] = []


class _Reader(Struct, frozen=True):
    """How one form is read."""

    whole: Callable[[bytes], Batch]
    envelope: Callable[[bytes], _Envelope]
    item: Callable[[Raw, Any], Any]


_READERS: Final[dict[Form, _Reader]] = {
    "json": _Reader(
        msgspec.json.Decoder(Batch).decode,
        msgspec.json.Decoder(_Envelope).decode,
        lambda raw, wanted: msgspec.json.decode(raw, type=wanted),
    ),
    "msgpack": _Reader(
        msgspec.msgpack.Decoder(Batch).decode,
        msgspec.msgpack.Decoder(_Envelope).decode,
        lambda raw, wanted: msgspec.msgpack.decode(raw, type=wanted),
    ),
}
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError)


def inflate(body: bytes, limit: int = BYTES_MAX) -> bytes | Refused:
    """The content of a gzip body of one member; unpacking stops one byte after `limit`."""
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(body, limit + 1)
    except zlib.error:
        return _refused(BATCH_MALFORMED)
    if len(content) > limit:
        return _refused(BATCH_TOO_LARGE)
    if not stream.eof or stream.unused_data:
        return _refused(BATCH_MALFORMED)
    return content


def decode(body: bytes, form: Form) -> Decoded | Refused:
    """Read a decompressed body. A malformed item costs itself; what is no batch at all is refused whole."""
    reader = _READERS[form]
    try:
        batch = reader.whole(body)
    except msgspec.ValidationError:
        return _item_by_item(reader, body)
    except _UNREADABLE:
        return _refused(BATCH_MALFORMED)
    if _is_too_large(batch) or _has_too_many_points(batch.series):
        return _refused(BATCH_TOO_LARGE)
    return Decoded(
        sha256=hashlib.sha256(body).digest(),
        device=batch.device,
        seq=batch.seq,
        sent_at=batch.sent_at,
        sources=batch.sources,
        samples=batch.samples,
        series=batch.series,
        deleted=batch.deleted,
        windows=batch.windows,
        streams=batch.streams,
        rejected=[],
    )


def _item_by_item(reader: _Reader, body: bytes) -> Decoded | Refused:
    try:
        envelope = reader.envelope(body)
    except _UNREADABLE:
        return _refused(BATCH_MALFORMED)
    if _is_too_large(envelope):
        return _refused(BATCH_TOO_LARGE)
    rejected: list[Rejected] = []
    series = _items(reader, "series", envelope.series, Series, rejected)
    if _has_too_many_points(series):
        return _refused(BATCH_TOO_LARGE)
    return Decoded(
        sha256=hashlib.sha256(body).digest(),
        device=envelope.device,
        seq=envelope.seq,
        sent_at=envelope.sent_at,
        sources=_items(reader, "sources", envelope.sources, Source, rejected),
        samples=_items(reader, "samples", envelope.samples, Sample, rejected),
        series=series,
        deleted=_items(reader, "deleted", envelope.deleted, Deletion, rejected),
        windows=_items(reader, "windows", envelope.windows, Window, rejected),
        streams=_streams(reader, envelope.streams, rejected),
        rejected=rejected,
    )


def _items(
    reader: _Reader, part: Part, raw: list[Raw], wanted: type[Item], rejected: list[Rejected]
) -> list[Item | None]:
    found: list[Item | None] = []
    for i, one in enumerate(raw):
        try:
            found.append(reader.item(one, wanted))
        except _UNREADABLE as error:
            found.append(None)
            rejected.append(Rejected(of=part, i=i, code=_code_of(error), id=_id_of(reader, one)))
    return found


def _streams(reader: _Reader, raw: dict[str, Raw], rejected: list[Rejected]) -> dict[str, Cursor]:
    found: dict[str, Cursor] = {}
    for i, (name, one) in enumerate(raw.items()):
        try:
            found[msgspec.convert(name, Name)] = reader.item(one, Cursor)
        except _UNREADABLE:
            rejected.append(Rejected(of="streams", i=i, code="malformed"))
    return found


class _Named(Struct):
    id: UUID


def _id_of(reader: _Reader, raw: Raw) -> UUID | None:
    """The id of an item that is otherwise malformed, so that the phone finds it."""
    try:
        named: _Named = reader.item(raw, _Named)
    except _UNREADABLE:
        return None
    return named.id


def _code_of(error: Exception) -> Code:
    """msgspec says in words alone that a time has no zone."""
    return "tz-missing" if "timezone component" in str(error) else "malformed"


def _is_too_large(batch: Batch | _Envelope) -> bool:
    return (
        len(batch.samples) > SAMPLES_MAX
        or len(batch.series) > SERIES_MAX
        or len(batch.deleted) > DELETED_MAX
        or len(batch.sources) > SOURCES_MAX
        or len(batch.windows) > WINDOWS_MAX
        or len(batch.streams) > STREAMS_MAX
    )


def _has_too_many_points(series: Sequence[Series | None]) -> bool:
    lengths = [len(one.v) for one in series if one is not None]
    return bool(lengths) and (max(lengths) > POINTS_PER_SERIES_MAX or sum(lengths) > POINTS_MAX)


def _refused(problem: ProblemType) -> Refused:
    return Refused(problem=problem)
