"""What one transaction that changes a person's measurements holds in hand, and what it did so far."""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct, field

from store.database import Tx
from vitals.accepting import EARLIEST
from vitals.intake import queries
from vitals.intake.models import Head, SourceRow
from vitals.intake.sums import HourKey, Sums, add
from vitals.kinds import BY_NUMBER
from vitals.wire import Code, Part, Rejected

_MILLISECOND = timedelta(milliseconds=1)
# Of a deletion that no batch of a phone brought.
NO_DEVICE = ""


class Work(Struct, kw_only=True):
    """device_id, seq: of the batch. sources: of the person, by id, as far as they were needed; places: the
    source of each place of the batch's list. fresh: sums of points that are new or edited; stale: hours of
    which a point was edited or went, to be made anew from the rows, with how many left each; gone: those of
    them from which one was taken out. again: ids that came and stood already. hours,
    hours_left: that records came into and left, as far as one batch may. acting: who sends it for the
    person (None: the person does), and may change and take out only what the own phones sent."""

    tx: Tx
    patient_id: UUID
    now: datetime
    head: Head
    device_id: str = NO_DEVICE
    seq: int = 0
    clock_offset: timedelta = timedelta()
    sources: dict[int, SourceRow] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    stored: int = 0
    updated: int = 0
    duplicate: int = 0
    deleted: int = 0
    points: int = 0
    hours: int = 0
    hours_left: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    fresh: dict[HourKey, Sums] = field(default_factory=dict)
    stale: dict[HourKey, int] = field(default_factory=dict)
    gone: set[HourKey] = field(default_factory=set)
    records_out: int = 0
    points_out: int = 0
    again: list[UUID] = field(default_factory=list)
    acting: UUID | None = None
    own_devices: Container[str] = ()

    def refuse(self, part: Part, i: int, ident: UUID | None, code: Code = "version-conflict") -> None:
        """By default: equal version, other content."""
        self.rejected.append(Rejected(of=part, i=i, code=code, id=ident))

    @property
    def came(self) -> tuple[datetime, int]:
        """When, and by how much the clock was behind (milliseconds) that the times are of."""
        return self.now, self.clock_offset // _MILLISECOND

    def edit(self, came: Mapping[HourKey, Sums], left: Mapping[HourKey, Sums]) -> None:
        """Points that took the place of others, in whatever hours."""
        add(self.fresh, came)
        for key in came:
            self.stale.setdefault(key, 0)
        self._leave(left)

    def take_out(self, left: Mapping[HourKey, Sums]) -> None:
        """Points that went."""
        self._leave(left)
        self.gone.update(left)

    def _leave(self, left: Mapping[HourKey, Sums]) -> None:
        for key, sums in left.items():
            self.stale[key] = self.stale.get(key, 0) + sums.n

    def may_change(self, device_id: str) -> bool:
        """Whether what this device sent may be changed or taken out here."""
        return self.acting is None or device_id in self.own_devices

    def kept_since(self, kind: int) -> datetime:
        """From here on every point of a kind that was counted has its row."""
        ends = [self.head.samples_until]
        ends += [self.head.archived_until] if BY_NUMBER[kind].is_series else []
        return max((one for one in ends if one is not None), default=EARLIEST)

    async def learn_sources(self, idents: Iterable[int]) -> None:
        """Look up sources of other devices, where an item that stands came from one."""
        if unknown := sorted(set(idents) - self.sources.keys()):
            rows = await queries.SOURCES_BY_ID.all(self.tx, self.patient_id, unknown)
            self.sources |= {row.source_id: row for row in rows}

    def goes_before(self, source_id: int, other: int) -> bool:
        """Of two sources that sent the same item one has it, whichever came first."""
        mine, theirs = self.sources[source_id], self.sources[other]
        return source_id != other and self.may_change(theirs.device_id) and _rank(mine) < _rank(theirs)


def _rank(source: SourceRow) -> tuple[str, ...]:
    return source.device_id, source.app, source.model, source.kind, source.method


async def begin(
    tx: Tx,
    patient_id: UUID,
    now: datetime,
    *,
    device_id: str = NO_DEVICE,
    seq: int = 0,
    clock_offset: timedelta = timedelta(),
    span: timedelta = timedelta(),
    acting: UUID | None = None,
) -> Work:
    """Lock the person's head: whatever changes measurements of one person waits for what did before.
    clock_offset: by how much the device's clock is behind; span: the longest series about to be stored."""
    head = await queries.LOCK_HEAD.one(tx, patient_id, now, span)
    assert head is not None
    own = () if acting is None else await queries.DEVICES_ADDED_BY.all(tx, patient_id, acting)
    return Work(
        tx=tx,
        patient_id=patient_id,
        now=now,
        device_id=device_id,
        seq=seq,
        clock_offset=clock_offset,
        head=head,
        acting=acting,
        own_devices=own,
    )
