"""Who acted in another person's book and is erased leaves no id there."""

from uuid import UUID

import pytest

from store.database import Store
from store.person_tables import TABLES, delete_some
from tests.support.alerting import Patient, fall, make_patient
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from vitals.devices.service import admit_device
from vitals.files import queries as files


@pytest.fixture
async def child(store: Store, clock: FrozenClock) -> Patient:
    return await make_patient(store, clock)


async def erase(store: Store, patient_id: UUID) -> None:
    for one in TABLES:
        if one.kept is None:
            async with store.transaction() as tx:
                await delete_some(tx, one, patient_id)


async def test_phones_files_and_seen_alerts_stay_without_who_is_erased(
    store: Store, clock: FrozenClock, child: Patient
) -> None:
    guardian = (await make_citizen(store, clock)).patient_id
    (alert,) = await child.send(*fall([97, 90, 90]), minute=3)
    now = clock.now()
    async with store.transaction() as tx:
        assert await admit_device(tx, child.patient_id, "phone-1", guardian, now) is None
        row = child.patient_id, UUID(int=7), guardian, now, b"", 0, None, UUID(int=8)
        assert await files.INSERT.one(tx, *row) is not None
        await tx.execute(
            "UPDATE alert SET acked_by = $3, acked_at = $4 WHERE patient_id = $1 AND alert_id = $2",
            *(child.patient_id, alert.alert_id, guardian, now),
        )
    await erase(store, guardian)
    async with store.transaction() as tx:
        found = [
            await tx.fetchval(f"SELECT {column} FROM {table} WHERE patient_id = $1", child.patient_id)
            for table, column in (
                ("alert", "coalesce(acked_by::text, acked_at::text)"),
                ("vital_device", "coalesce(added_by::text, device_id)"),
                ("vital_import", "coalesce(added_by::text, state)"),
            )
        ]
        seen = await tx.fetchval("SELECT acked_at::text FROM alert WHERE patient_id = $1", child.patient_id)
    assert found == [seen, "phone-1", "waiting"]
