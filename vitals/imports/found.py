"""What an adapter makes of a document: items of a batch, and what it could make nothing of."""

from msgspec import Struct, field

from vitals.wire import Deletion, Rejected, Sample, Series, Source


class Found(Struct, kw_only=True):
    """`s` of an item is its place in sources. rejected: `i` counts the document's own items. clock_offset_ms:
    by how much the gateway's clock was ahead of the device's, where the document says it."""

    sources: list[Source] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    deleted: list[Deletion] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    clock_offset_ms: int | None = None

    def source(self, wanted: Source) -> int:
        """The place of a source, which is added where it is new."""
        if wanted not in self.sources:
            self.sources.append(wanted)
        return self.sources.index(wanted)
