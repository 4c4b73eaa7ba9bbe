"""How old a reading is, whatever its phone's clock says and however long the batch waited."""

from datetime import timedelta

import pytest

from store.database import Store
from tests.support.alerting import CGM, Patient, after, fall, make_patient, pressure, reading, said
from tests.support.batches import series, text_of
from tests.support.clock import START, FrozenClock
from vitals.alerts.loading import load
from vitals.alerts.looking import EVER, Span
from vitals.kinds import KINDS
from vitals.retention.service import Retention, forget_some

BEHIND = timedelta(hours=2)


@pytest.fixture
async def patient(store: Store, clock: FrozenClock) -> Patient:
    return await make_patient(store, clock)


async def test_a_batch_that_waited_in_the_phone_never_alarms(patient: Patient) -> None:
    """The same bytes again, five hours after they were made."""
    made = {"sent_at": text_of(after(4))}
    assert await patient.send(*fall([90, 89, 88, 87]), minute=300, **made) == []
    assert await patient.alerts() == []


@pytest.mark.parametrize("clock_first", [timedelta(), timedelta(hours=-1)])
async def test_nor_does_one_of_a_phone_that_was_known_to_be_right_or_ahead(
    patient: Patient, clock_first: timedelta
) -> None:
    await patient.send(reading(0, 97), minute=1, sent_at=text_of(after(1) - clock_first))
    assert await patient.send(*fall([90, 89, 88], start=2), minute=300, sent_at=text_of(after(6))) == []
    # What the clock is believed to be is not what the batch waited.
    assert len(await patient.send(*fall([90, 89], start=301), minute=303)) == 1


async def test_a_clock_that_says_itself_how_late_it_is_does_not_make_a_reading_late(patient: Patient) -> None:
    patient.clock.set(after(123))
    opened = await patient.send(*fall([90, 89, 88]), sent_at=text_of(after(3)), clock=BEHIND)
    assert said(opened) == [(2, "active", 0, 2, 880)]
    # The next batch does not say it, and is believed as far.
    again = fall([98, 98, 90, 89], start=6)
    assert len(await patient.send(*again, minute=131, sent_at=text_of(after(11)))) == 1


async def test_a_clock_that_is_set_right_takes_no_alert_back(patient: Patient) -> None:
    await patient.send(*fall([90, 89, 88]), minute=123, sent_at=text_of(after(3)), clock=BEHIND)
    await patient.send(*fall([88, 88], start=124), minute=126)
    assert [one.status for one in await patient.alerts()] == ["closed", "active"]
    # Nor does an edit of what the clock was told wrongly for.
    await patient.send(reading(2, 87.5, ver=2), minute=127)
    assert said(await patient.standing())[0] == (2, "closed", 0, 2, 875)


async def test_what_a_clock_ahead_said_is_over_when_nothing_more_is_read(
    patient: Patient, store: Store
) -> None:
    """Two hours ahead, then right: an hour of silence ends the alert, not three."""
    await patient.send(*fall([90, 89, 88], start=120), minute=3, sent_at=text_of(after(123)))
    await patient.send(reading(4, 97), minute=5)
    assert [one.status for one in await patient.alerts()] == ["active"]
    await patient.send(reading(65, 97), minute=66)
    assert [one.status for one in await patient.alerts()] == ["closed"]


async def test_what_was_let_go_after_its_time_takes_no_alert_back(patient: Patient, store: Store) -> None:
    points = series(1, [97] * 3 + [92] * 6 + [98] * 3, k="spo2", u="%", t0=text_of(START), step_ms=60_000)
    assert len(await patient.send(series=[points], minute=12)) == 1
    later = START + timedelta(days=402)
    async with store.transaction() as tx:
        assert await forget_some(tx, patient.patient_id, Retention(), later) == 1
    patient.clock.set(later)
    await patient.send(reading(5, 97, name="from an old phone"))
    assert [one.status for one in await patient.alerts()] == ["closed"]


async def test_what_was_let_go_of_series_binds_no_kind_without_them(patient: Patient, store: Store) -> None:
    """A cuff's readings of that time are all there: one that is deleted takes its alert back."""
    points = series(1, [70] * 3, t0=text_of(START), step_ms=60_000)
    sent = [pressure(0, 190, 115, name="first"), pressure(5, 188, 112, name="second")]
    assert len(await patient.send(*sent, series=[points], minute=6)) == 1
    later = START + timedelta(days=402)
    async with store.transaction() as tx:
        assert await forget_some(tx, patient.patient_id, Retention(), later) == 1
    patient.clock.set(later)
    await patient.delete("first", "second")
    assert [one.status for one in await patient.alerts()] == ["retracted"]


async def test_what_is_typed_under_a_sensors_name_is_no_sensors(patient: Patient, store: Store) -> None:
    typed = {"app": "vn.example.cgm", "kind": "cgm", "method": "manual"}
    await patient.send(
        reading(0, 3.5, "glucose"), reading(1, 3.5, "glucose", s=1), sources=[CGM, typed], minute=2
    )
    number = KINDS["glucose"].number
    async with store.transaction() as tx:
        loaded = await load(tx, patient.patient_id, number, [Span(0, EVER)])
    assert sorted((one.reading.v, one.reading.is_sensor) for one in loaded.stored) == [
        (350, False),
        (350, True),
    ]
