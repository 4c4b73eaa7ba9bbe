"""Readings played through the service: each stored as it arrives and judged in that transaction, and timers
when they are due. What bench/vital_burden.py does with the machine alone, here with all that is around it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import count
from uuid import UUID, uuid5

from bench.vital_burden import ADULT, adult_rules
from kernel.ids import bucket_of
from store.database import Store
from store.due_queue import claim_due, schedule
from tests.support.clock import FrozenClock
from tests.support.people import make_person
from vitals.alerts.defaults import by_name
from vitals.alerts.judging import JOB, look_again
from vitals.alerts.models import AlertRow
from vitals.alerts.queries import BY_ID
from vitals.alerts.readings import Stored
from vitals.alerts.settling import at
from vitals.intake.service import store_batch
from vitals.kinds import KINDS
from vitals.models import Accepted, SampleRow
from vitals.rules.queries import CONFIRM
from vitals.wire import Ack, Source, SourceKind


class Service:
    """One adult with one device, all default limits in force."""

    def __init__(self, store: Store, person: UUID, kind: str, by: SourceKind) -> None:
        self.store, self.person, self.kind, self.by = store, person, KINDS[kind].number, by
        self._rules = {rule.rule_id for rule in adult_rules(kind)}
        self._seqs = count(1)

    async def take(self, arrived: Sequence[Stored], now: datetime) -> list[UUID]:
        """Timers that are due, then a batch where there is one; the alerts that its answer names."""
        await self._tick(now)
        if not arrived:
            return []
        async with self.store.transaction() as tx:
            ack = await store_batch(tx, self.person, ADULT, self._batch(arrived, now), now)
        assert isinstance(ack, Ack)
        assert ack.stored == len(arrived)
        return ack.alerts

    async def alerts(self) -> list[AlertRow]:
        """Of limits of single readings, those that stand, in order."""
        async with self.store.transaction() as tx:
            idents = await tx.fetch("SELECT alert_id FROM alert WHERE patient_id = $1", self.person)
            rows = [await BY_ID.one(tx, self.person, row[0]) for row in idents]
        found = [one for one in rows if one is not None and one.rule_id in self._rules]
        return sorted(
            (one for one in found if one.status != "retracted"), key=lambda one: (one.first_t, one.opened_at)
        )

    async def _tick(self, now: datetime) -> None:
        async with self.store.transaction() as tx:
            bucket = bucket_of(self.person)
            for due in await claim_due(tx, bucket, now, 100, JOB):
                again = await look_again(tx, self.store.keys, due.ref, now)
                if again is not None:
                    await schedule(tx, bucket, again, due.kind, due.ref)

    def _batch(self, arrived: Iterable[Stored], now: datetime) -> Accepted:
        seq = next(self._seqs)
        return Accepted(
            device="phone",
            seq=seq,
            sent_at=now,
            sha256=sha256(str(seq).encode()).digest(),
            sources=[Source(app="vn.example.device", kind=self.by)],
            samples=[self._row(one) for one in arrived],
            series=[],
            deleted=[],
            windows=[],
            cursors={},
            rejected=[],
            points_dropped=[],
            clock_offset_ms=0,
        )

    def _row(self, one: Stored) -> SampleRow:
        t, v, v2 = one.reading.t, one.reading.v, one.reading.v2
        ident = uuid5(self.person, str((t, one.reading.id)))
        return SampleRow(ident, 1, at(t), None, v, v2, self.kind, 0, one.z, one.ctx, 1, 0)


async def make_service(store: Store, clock: FrozenClock, kind: str, by: SourceKind) -> Service:
    person, _ = await make_person(store, clock, birth_date=ADULT)
    async with store.transaction() as tx:
        for name in by_name():
            await CONFIRM.run(tx, name, "a test", clock.now())
    return Service(store, person, kind, by)
