"""A facility that sends doses, and the worker after it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from healthbook.dispatch import dispatch
from identity.models import Facility
from kernel.ids import bucket_of
from store.database import Store
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.record import hospital, our_id, write
from vaccination.book.antigens import CVX


def dose(name: str, code: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": code}], "text": name},
        "occurrenceDateTime": day,
        "lotNumber": f"L-{name}",
    } | more


@dataclass
class Place:
    """A facility that may vaccinate, and what it has of one person; sending again replaces it."""

    store: Store
    clock: FrozenClock
    facility: Facility

    async def send(self, patient_id: UUID, *rows: dict[str, Any], labels: int = 0) -> None:
        source = hospital(str(self.facility.facility_id), self.facility.facility_id)
        await write(
            self.store, patient_id, list(rows), self.clock.now(), source=source, unit="doses", labels=labels
        )

    def id_of(self, name: str) -> str:
        return our_id(str(self.facility.facility_id), name)


async def work(store: Store, clock: FrozenClock, patient_id: UUID) -> None:
    """What the worker does with what happened, and with what that made happen."""
    for _ in range(2):
        async with store.transaction() as tx:
            for event in await claim_events(tx, bucket_of(patient_id), clock.now(), 500):
                await dispatch(tx, store.keys, event, clock.now())
