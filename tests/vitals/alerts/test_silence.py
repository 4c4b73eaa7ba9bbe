"""What somebody silenced stays silent, also where it begins and ends between two deliveries."""

import pytest

from store.database import Store
from tests.support.alerting import Patient, after, fall, make_patient, said
from tests.support.clock import FrozenClock


@pytest.fixture
async def patient(store: Store, clock: FrozenClock) -> Patient:
    return await make_patient(store, clock)


async def test_what_begins_and_ends_in_silence_is_told_to_nobody(patient: Patient, owner: Store) -> None:
    """Phones deliver whole events at once."""
    (alert,) = await patient.send(*fall([93, 93, 93, 98, 98]), minute=5)
    await patient.acknowledge(alert, 4 * 3600)
    assert await patient.send(*fall([93, 93, 93, 98, 98], start=60), minute=66) == []
    assert said(await patient.standing())[1] == (1, "closed", 60, 62, 930)
    assert await told_of(owner, patient) == ["vitals.alert-opened"]
    # What is worse than was silenced is told though it is over, and what comes after the silence too.
    (worse,) = await patient.send(*fall([91, 90, 98, 98], start=90), minute=95)
    assert (worse.severity, worse.status) == (2, "closed")
    assert len(await patient.send(*fall([93, 93, 93, 98, 98], start=300), minute=305)) == 1


async def test_what_grows_worse_and_ends_while_that_is_silenced_is_told_to_nobody(
    patient: Patient, owner: Store
) -> None:
    (alert,) = await patient.send(*fall([91, 90, 98, 98]), minute=4)
    await patient.acknowledge(alert, 3600)
    await patient.send(*fall([93, 93, 93], start=10), minute=13)
    await patient.send(*fall([91, 90, 98, 98], start=13), minute=18)
    assert said(await patient.standing())[1] == (2, "closed", 10, 14, 900)
    assert await told_of(owner, patient) == ["vitals.alert-opened"]


async def told_of(owner: Store, patient: Patient) -> list[str]:
    """The events of a person so far, in order."""
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT event FROM outbox WHERE patient_id = $1 ORDER BY event_id", patient.patient_id
        )
    return [row[0] for row in rows]


async def test_a_second_silence_never_shortens_the_first(patient: Patient) -> None:
    (alert,) = await patient.send(*fall([93, 93, 93, 98, 98]), minute=5)
    first = await patient.acknowledge(alert, 4 * 3600)
    assert await patient.acknowledge(alert, 0) == first == after(5 + 240)
    (worse,) = await patient.send(*fall([91, 90, 98, 98], start=10), minute=15)
    # What is critical is silent for its own hour, and warnings for their four.
    assert await patient.acknowledge(worse, 3600) == after(15 + 60)
    assert await patient.send(*fall([91, 90, 98, 98], start=60), minute=65) == []
    assert await patient.send(*fall([93, 93, 93, 98, 98], start=150), minute=155) == []
    assert len(await patient.send(*fall([91, 90, 98, 98], start=180), minute=185)) == 1


async def test_what_was_over_long_ago_silences_nothing(patient: Patient) -> None:
    (alert,) = await patient.send(*fall([93, 93, 93, 98, 98]), minute=5)
    patient.clock.set(after(66))
    assert await patient.acknowledge(alert, 3600) is None
    assert (await patient.alerts())[0].acked_at == after(66)
    assert len(await patient.send(*fall([93, 93, 93], start=70), minute=73)) == 1
