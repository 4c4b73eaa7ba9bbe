"""Items of a file, gathered until they are a batch."""

from datetime import datetime
from hashlib import sha256
from typing import Final

from vitals.decoding import Decoded
from vitals.files.models import ImportRow, RefusedAt
from vitals.imports.items import WHAT_MAX, Item, Read, Refusal
from vitals.intake.series import HOURS_MAX
from vitals.wire import (
    DELETED_MAX,
    POINTS_MAX,
    POINTS_PER_SERIES_MAX,
    SAMPLES_MAX,
    SERIES_MAX,
    SOURCES_MAX,
    Code,
    Deletion,
    Part,
    Rejected,
    Sample,
    Series,
    Source,
)

# What is refused of a file costs no row, but has to be noted now and then.
REFUSED_MAX: Final = 20_000
_BATCHES: Final = 1_000_000
_NAMED_BYTES: Final = 5


class Gathered:
    """items: how many of the file it stands for, those that were refused too."""

    def __init__(self) -> None:
        self.items = 0
        self.refused: list[RefusedAt] = []
        self._samples: list[Sample] = []
        self._series: list[Series] = []
        self._deleted: list[Deletion] = []
        self._sources: list[Source] = []
        self._at: dict[str, int] = {}
        self._places: dict[Part, list[int]] = {"samples": [], "series": [], "deleted": []}
        self._points = 0

    def has_room(self, one: Read) -> bool:
        if isinstance(one, Refusal):
            return len(self.refused) < REFUSED_MAX
        if isinstance(one.item, Deletion):
            return len(self._deleted) < DELETED_MAX
        if repr(one.source) not in self._at and len(self._sources) >= SOURCES_MAX:
            return False
        if isinstance(one.item, Series):
            # Each point can be in an hour of its own: no file loses a record to what one batch may touch.
            points_max = min(POINTS_MAX, HOURS_MAX) if self._series else POINTS_MAX
            return len(self._series) < SERIES_MAX and self._points + len(one.item.v) <= points_max
        return len(self._samples) < SAMPLES_MAX

    def add(self, one: Read) -> None:
        self.items += 1
        if isinstance(one, Refusal):
            self.refused.append(_refused(one.place, one.code, one.what))
        elif isinstance(one.item, Deletion):
            self._deleted.append(one.item)
            self._places["deleted"].append(one.place)
        else:
            self._add(one, one.item)

    def _add(self, one: Item, item: Sample | Series) -> None:
        named = repr(one.source)
        if named not in self._at:
            self._at[named] = len(self._sources)
            self._sources.append(one.source)
        item.s = self._at[named]
        if isinstance(item, Sample):
            self._samples.append(item)
            self._places["samples"].append(one.place)
        elif len(item.v) > POINTS_PER_SERIES_MAX:
            self.refused.append(_refused(one.place, "series-shape", item.k))
        else:
            self._series.append(item)
            self._points += len(item.v)
            self._places["series"].append(one.place)

    def batch(self, row: ImportRow, device: str, now: datetime) -> Decoded:
        """As if a phone had sent it: a `seq` of its own for every batch of every file."""
        named = sha256(row.import_id.bytes).digest()
        seq = int.from_bytes(named[:_NAMED_BYTES]) * _BATCHES + row.batches % _BATCHES
        return Decoded(
            sha256=sha256(named + seq.to_bytes(8)).digest(),
            device=device,
            seq=seq,
            sent_at=now,
            sources=self._sources,
            samples=self._samples,
            series=self._series,
            deleted=self._deleted,
            windows=[],
            streams={},
            rejected=[],
        )

    def refusal_of(self, rejected: Rejected) -> RefusedAt:
        """What the gate did not let through, by its place in the file."""
        items = self._samples if rejected.of == "samples" else self._series
        place = self._places[rejected.of][rejected.i]
        what = items[rejected.i].k if rejected.of in ("samples", "series") else ""
        return _refused(place, rejected.code, what)


def _refused(place: int, code: Code, what: str) -> RefusedAt:
    """The words are the file's: no table holds U+0000."""
    return RefusedAt(place, code, "".join(sign for sign in what if sign.isprintable())[:WHAT_MAX])
