"""A person whose readings are judged as batches come: minutes count from the clock's start."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from store.database import Store
from tests.support.batches import batch, id_of, read, sample, text_of
from tests.support.clock import START, FrozenClock
from tests.support.people import make_person
from vitals.accepting import accept
from vitals.alerts.acknowledging import acknowledge
from vitals.alerts.models import AlertRow
from vitals.alerts.queries import BY_ID
from vitals.intake.service import clock_now, store_batch
from vitals.rules.queries import CONFIRM
from vitals.wire import Ack

UNITS = {"spo2": "%", "heart-rate": "/min", "temperature": "Cel", "glucose": "mmol/L", "resp-rate": "/min"}
CGM = {"app": "vn.example.cgm", "kind": "cgm"}
BIRTH = "1985-03-12"


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def reading(minutes: float, v: float, k: str = "spo2", **more: Any) -> dict[str, Any]:
    """One value of the first source (a watch), named by its time."""
    at = {"t": text_of(after(minutes))}
    return sample(more.pop("name", (k, minutes)), k, v, UNITS[k], **(at | more))


def pressure(minutes: float, v: float, v2: float, **more: Any) -> dict[str, Any]:
    """One measurement of the second source (a cuff)."""
    at = {"t": text_of(after(minutes)), "v2": v2, "s": 1}
    return sample(more.pop("name", ("bp", minutes)), "blood-pressure", v, "mm[Hg]", **(at | more))


class Patient:
    """Sends batches, and says what alerts there are."""

    def __init__(self, store: Store, clock: FrozenClock, patient_id: UUID, birth: str = BIRTH) -> None:
        self.store, self.clock, self.patient_id, self.birth = store, clock, patient_id, birth
        self._seqs = count(1)

    async def send(
        self, *samples: dict[str, Any], minute: float | None = None, **more: Any
    ) -> list[AlertRow]:
        """A batch that arrives at a minute; the alerts that its answer names. clock: by how much the phone
        says that its clock is behind."""
        if minute is not None:
            self.clock.set(after(minute))
        now = self.clock.now()
        more = {"seq": next(self._seqs), "sent_at": text_of(now)} | more
        said_at = now - more.pop("clock") if "clock" in more else None
        async with self.store.transaction() as tx:
            sent = read(batch(*samples, **more))
            clock = await clock_now(tx, self.patient_id, sent, said_at, now)
            accepted = accept(sent, date(1980, 1, 1), now, now, clock=clock)
            ack = await store_batch(tx, self.patient_id, self.birth, accepted, now)
            assert isinstance(ack, Ack), ack
            assert not ack.rejected
            found = [await BY_ID.one(tx, self.patient_id, ident) for ident in ack.alerts]
        return [one for one in found if one is not None]

    async def acknowledge(self, alert: AlertRow, snooze_s: int) -> datetime | None:
        """Until when its severity is silent."""
        async with self.store.transaction() as tx:
            seen = await acknowledge(
                tx, self.patient_id, alert.alert_id, self.patient_id, snooze_s, self.clock.now()
            )
        assert seen is not None
        return seen.snoozed_until

    async def confirm(self, *names: str) -> None:
        """An operator named a source for rows of the default set."""
        async with self.store.transaction() as tx:
            for name in names:
                await CONFIRM.run(tx, name, "a test", self.clock.now())

    async def delete(self, *names: object, minute: float | None = None) -> list[AlertRow]:
        return await self.send(minute=minute, deleted=[{"id": id_of(name)} for name in names])

    async def alerts(self) -> list[AlertRow]:
        """All there are, in order of their first reading."""
        async with self.store.transaction() as tx:
            idents = await tx.fetch("SELECT alert_id FROM alert WHERE patient_id = $1", self.patient_id)
            found = [await BY_ID.one(tx, self.patient_id, row[0]) for row in idents]
        return sorted((one for one in found if one is not None), key=lambda one: (one.first_t, one.rule_id))

    async def standing(self) -> list[AlertRow]:
        """Those that were not retracted."""
        return [one for one in await self.alerts() if one.status != "retracted"]


async def make_patient(store: Store, clock: FrozenClock, birth: str = BIRTH) -> Patient:
    return Patient(store, clock, (await make_person(store, clock, birth_date=birth))[0], birth)


def said(rows: Iterable[AlertRow]) -> list[tuple[int, str, float, float, int]]:
    """severity, status, minutes of the first and last reading, the furthest value."""
    return [
        (one.severity, one.status, _minutes(one.first_t), _minutes(one.last_t), one.peak_v) for one in rows
    ]


def _minutes(at: datetime) -> float:
    return (at - START) / timedelta(minutes=1)


def fall(values: Sequence[float], start: float = 0, step: float = 1, k: str = "spo2") -> list[dict[str, Any]]:
    """Readings one after the other."""
    return [reading(start + step * place, v, k) for place, v in enumerate(values)]
