"""Readings that swing about a limit are one event and not thousands, and none that is critical is lost."""

import random
from datetime import timedelta

import pytest

from store.database import Store
from tests.support.alerting import Patient, make_patient, reading, said
from tests.support.batches import series, text_of
from tests.support.clock import START, FrozenClock


@pytest.fixture
async def patient(store: Store, clock: FrozenClock) -> Patient:
    return await make_patient(store, clock)


async def told(store: Store, patient: Patient) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "DELETE FROM outbox WHERE patient_id = $1 AND event LIKE 'vitals.alert-%' RETURNING event",
            patient.patient_id,
        )
    return sorted(row[0] for row in rows)


async def test_a_series_that_swings_all_the_time_is_one_alert(store: Store, patient: Patient) -> None:
    values = [90.0, 90.0, 98.0, 98.0] * 500
    points = series(1, values, k="spo2", u="%", t0=text_of(START), step_ms=1000)
    opened = await patient.send(series=[points], minute=34)
    assert [(one.severity, one.status) for one in opened] == [(2, "closed")]
    assert (opened[0].first_t, opened[0].last_t) == (START, START + timedelta(seconds=1997))
    assert await told(store, patient) == ["vitals.alert-opened"]


async def test_events_that_are_five_minutes_apart_are_each_told(store: Store, patient: Patient) -> None:
    """So that a rule begins twelve an hour at most, and loses none."""
    values = [90.0, 90.0, 98.0, 98.0] + [98.0] * 297
    points = series(1, values * 10, k="spo2", u="%", t0=text_of(START), step_ms=1000)
    assert len(await patient.send(series=[points], minute=51)) == 10
    assert await told(store, patient) == ["vitals.alert-opened"] * 10


async def test_a_critical_part_makes_the_whole_critical(patient: Patient) -> None:
    tenth = [93.5, 93.5, 93.5, 98, 98, 91, 90, 98, 98, 93.5, 93.5, 93.5, 98, 98]
    sent = [reading(n / 6, v) for n, v in enumerate(tenth)]
    (alert,) = await patient.send(*sent, minute=3)
    assert (alert.severity, alert.status, alert.peak_v) == (2, "closed", 900)


async def test_what_is_critical_again_after_it_was_over_is_told_again(store: Store, patient: Patient) -> None:
    """Whoever was told of it is in the chain already: it goes on to whoever comes next."""
    first = [reading(n / 6, v) for n, v in enumerate([90, 90, 98, 98])]
    (alert,) = await patient.send(*first, minute=1)
    assert (alert.status, await told(store, patient)) == ("closed", ["vitals.alert-opened"])
    assert await patient.send(*(reading(1 + n / 60, 90) for n in range(2)), minute=1.1) == []
    assert said(await patient.alerts()) == [(2, "active", 0, pytest.approx(1 + 1 / 60), 900)]
    assert await told(store, patient) == ["vitals.alert-worsened"]


@pytest.mark.parametrize("seed", range(4))
async def test_the_order_of_swings_changes_nothing(store: Store, clock: FrozenClock, seed: int) -> None:
    orders = random.Random(seed)
    values = [orders.choice([90, 91, 93.5, 93.5, 94.5, 98, 98]) for _ in range(150)]
    items = [reading(n / 5, v, name=n) for n, v in enumerate(values)]
    whole, parts = await make_patient(store, clock), await make_patient(store, clock)
    await whole.send(*items, minute=31)
    orders.shuffle(items)
    for at in range(0, 150, 30):
        await parts.send(*items[at : at + 30], minute=31)
    expected = said(await whole.standing())
    assert expected
    assert said(await parts.standing()) == expected
