"""Alerts of stored readings: in the same transaction, and a function of what is stored and of the hour."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from healthbook.settings import Settings
from healthbook.wiring import Place, opened_store
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Store
from store.due_queue import claim_due, schedule
from store.keys import KeyRing
from store.postgres import Server
from tests.support.alerting import Patient, after, fall, make_patient, pressure, reading, said
from tests.support.batches import id_of, sample, series, taken, text_of
from tests.support.clock import START, FrozenClock
from vitals.alerts import judging
from vitals.alerts.loading import load
from vitals.alerts.looking import EVER, Span
from vitals.alerts.moving import MOVING
from vitals.alerts.queries import LOCK_HEAD, POINTS_MAX
from vitals.alerts.settling import micros
from vitals.intake.service import store_batch
from vitals.kinds import KINDS
from vitals.wire import Ack


@pytest.fixture
async def patient(store: Store, clock: FrozenClock) -> Patient:
    return await make_patient(store, clock)


async def test_a_confirmed_fall_is_an_alert_of_the_batch_that_confirms_it(patient: Patient) -> None:
    assert await patient.send(*fall([97, 93.5, 93.4]), minute=3) == []
    opened = await patient.send(reading(3, 93.2), minute=4)
    assert said(opened) == [(1, "active", 1, 3, 932)]
    assert opened == await patient.alerts()
    assert await patient.send(reading(4, 93.0), minute=5) == []
    assert said(await patient.alerts()) == [(1, "active", 1, 4, 930)]


async def test_a_critical_fall_needs_two(patient: Patient) -> None:
    assert await patient.send(*fall([97, 91]), minute=2) == []
    assert said(await patient.send(reading(2, 90.5), minute=2.1)) == [(2, "active", 1, 2, 905)]


async def test_a_reading_inside_ends_the_suspicion(patient: Patient) -> None:
    await patient.send(*fall([93.5, 93.5, 96, 93.5, 93.5, 96]), minute=6)
    assert await patient.alerts() == []


async def test_two_clear_readings_close_it_and_one_near_the_limit_does_not(patient: Patient) -> None:
    await patient.send(*fall([93, 93, 93, 94.5, 94.5, 94.5, 97]), minute=7)
    assert said(await patient.alerts()) == [(1, "active", 0, 2, 930)]
    await patient.send(reading(7, 97), minute=8)
    (alert,) = await patient.alerts()
    assert (alert.status, alert.closed_t) == ("closed", after(7))


async def test_readings_of_one_batch_in_any_order_and_split_make_the_same(
    store: Store, clock: FrozenClock
) -> None:
    values = [97, 93, 92, 91, 97, 90, 92.5, 97, 98, 98, 93, 93.9, 92, 91, 97, 98, 97, 93, 93, 93, 93, 99]
    items = [reading(2 * place, v) for place, v in enumerate(values)]
    expected, orders = None, random.Random(8)
    for _ in range(8):
        one = await make_patient(store, clock)
        orders.shuffle(items)
        cut = orders.randrange(len(items))
        for part in (items[:cut], items[cut:], items[:5]):
            await one.send(*part, minute=45)
        found = said(await one.standing())
        expected = expected or found
        assert found == expected
    assert expected is not None
    assert len(expected) == 2


async def test_late_readings_never_alarm_and_recent_ones_of_the_same_batch_do(patient: Patient) -> None:
    assert await patient.send(*fall([90, 89, 88, 87]), minute=70) == []
    assert await patient.alerts() == []
    opened = await patient.send(*fall([90, 89, 88], start=100), minute=110)
    assert said(opened) == [(2, "active", 100, 102, 880)]


async def test_an_edit_that_clears_the_reading_retracts_the_alert(patient: Patient) -> None:
    await patient.send(*fall([97, 93, 93, 93]), minute=4)
    await patient.send(reading(2, 97, ver=2), minute=5)
    assert [one.status for one in await patient.alerts()] == ["retracted"]
    # Told and taken back: the same again is a new alert.
    await patient.send(reading(2, 92.9, ver=3), minute=6)
    assert said(await patient.standing()) == [(1, "active", 1, 3, 929)]


async def test_a_deletion_retracts_an_alert_of_last_week(patient: Patient) -> None:
    await patient.send(*fall([97, 93, 93, 93, 98, 98]), minute=6)
    assert [one.status for one in await patient.alerts()] == ["closed"]
    await patient.delete(("spo2", 2), minute=7 * 24 * 60)
    assert [one.status for one in await patient.alerts()] == ["retracted"]


@pytest.mark.parametrize("is_together", [True, False])
async def test_what_goes_and_what_comes_of_yesterday_end_the_same_together_and_apart(
    patient: Patient, is_together: bool
) -> None:
    """Without the one inside, three in ten minutes are outside."""
    await patient.send(*fall([93, 93]), reading(2, 97, name="inside"), reading(3, 93), minute=4)
    old, gone = reading(-1440, 97), [{"id": id_of("inside")}]
    await patient.send(old, minute=5, deleted=gone if is_together else [])
    if not is_together:
        await patient.send(deleted=gone)
    assert said(await patient.alerts()) == [(1, "active", 0, 3, 930)]


@pytest.mark.parametrize("is_together", [True, False])
async def test_an_edit_that_moves_a_reading_away_is_judged_where_it_was(
    patient: Patient, is_together: bool
) -> None:
    await patient.send(*fall([93, 93]), reading(2, 97, name="inside"), reading(3, 93), minute=4)
    await patient.send(reading(-1440, 97, name="inside", ver=2), minute=5)
    if not is_together:
        await patient.send(reading(4, 98))
    assert [one.first_t for one in await patient.standing()] == [START]


async def test_a_deletion_that_leaves_enough_keeps_the_alert(patient: Patient) -> None:
    await patient.send(*fall([97, 93, 93, 93, 93]), minute=5)
    await patient.delete(("spo2", 1), minute=6)
    assert said(await patient.alerts()) == [(1, "active", 2, 4, 930)]


async def test_it_worsens_in_its_own_row(patient: Patient) -> None:
    await patient.send(*fall([93, 93, 93]), minute=3)
    assert await patient.send(*fall([91, 90], start=4), minute=6) == []
    assert said(await patient.alerts()) == [(2, "active", 0, 5, 900)]


async def test_after_a_warning_nothing_is_said_for_half_an_hour_unless_critical(patient: Patient) -> None:
    await patient.send(*fall([93, 93, 93, 97, 97]), minute=5)
    assert await patient.send(*fall([93, 93, 93, 97, 97], start=10), minute=15) == []
    assert len(await patient.alerts()) == 1
    assert len(await patient.send(*fall([92, 91], start=20), minute=22)) == 1


async def test_a_second_event_that_lasts_is_said_when_the_pause_is_over(patient: Patient) -> None:
    await patient.send(*fall([93, 93, 93, 97, 97]), minute=5)
    assert await patient.send(*fall([93] * 10, start=10), minute=20) == []
    assert said(await patient.send(*fall([93] * 16, start=20), minute=36)) == [(1, "active", 10, 35, 930)]


async def test_a_series_is_walked_only_through_its_points(patient: Patient) -> None:
    points = series(1, [97] * 30 + [92] * 10, k="spo2", u="%", t0=text_of(START), step_ms=2000)
    opened = await patient.send(series=[points], minute=3)
    assert [(one.severity, one.first_t) for one in opened] == [(2, START + timedelta(seconds=60))]


async def test_a_series_inside_all_limits_is_judged_by_its_ends(patient: Patient, store: Store) -> None:
    """An hour of three sensors beside a fall that begins and ends in it: few readings are made of it."""
    calm = [series(n, [97.0] * 3600, k="spo2", u="%", t0=text_of(START), step_ms=1000, s=n) for n in range(2)]
    opened = await patient.send(*fall([93, 93, 93], start=20), minute=24)
    assert said(opened) == [(1, "active", 20, 22, 930)]
    await patient.send(series=calm, minute=61)
    assert [one.status for one in await patient.alerts()] == ["retracted"]
    async with store.transaction() as tx:
        span = [Span(micros(START), EVER)]
        whole = await load(tx, patient.patient_id, KINDS["spo2"].number, span)
        part = await load(tx, patient.patient_id, KINDS["spo2"].number, span, (940, 1200))
    assert len(whole.stored) == 2 * 3600 + 3
    assert len(part.stored) < 60
    assert part.since == whole.since


async def test_a_look_reads_no_more_points_than_it_may_and_leaves_what_it_cannot_see(
    patient: Patient, store: Store
) -> None:
    """More points than anybody measures in an hour: the newest are judged, an alert of before stays."""
    (before,) = await patient.send(*fall([93, 93, 93, 97, 97]), minute=5)
    for n in range(3):
        much = series(
            n, [96.0] * 29_998 + [90, 90], k="spo2", u="%", step_ms=20, t0=text_of(after(10 * n + 6))
        )
        await patient.send(series=[much], minute=10 * n + 17)
    async with store.transaction() as tx:
        spans = [Span(micros(START), EVER)]
        loaded = await load(tx, patient.patient_id, KINDS["spo2"].number, spans)
    assert POINTS_MAX <= len(loaded.stored) < POINTS_MAX + 30_000
    assert loaded.since > micros(after(15))
    alerts = await patient.alerts()
    assert alerts[0] == before
    assert [one.severity for one in alerts[1:]] == [2, 2, 2]


async def test_an_old_reading_beside_a_new_one_touches_no_alert_between(
    patient: Patient, store: Store
) -> None:
    for day in (1, 2, 3):
        await patient.send(*fall([93, 93, 93, 97, 97], start=day * 1440), minute=day * 1440 + 5)
    async with store.transaction() as tx:
        # Whoever looked at the second again would find that it never was.
        await tx.execute(
            "DELETE FROM vital_sample WHERE patient_id = $1 AND t BETWEEN $2 AND $3",
            *(patient.patient_id, after(2880), after(2885)),
        )
    await patient.send(reading(1440 - 30, 97), reading(5 * 1440, 97), minute=5 * 1440 + 1)
    assert [one.status for one in await patient.alerts()] == ["closed"] * 3
    await patient.delete(("spo2", 1441))
    assert [one.status for one in await patient.alerts()] == ["retracted", "closed", "closed"]


async def test_each_of_many_alerts_that_lose_their_readings_is_taken_back(patient: Patient) -> None:
    """As many as one deletion reaches, not only the newest 200."""
    names = list[object]()
    for day in range(1, 41):
        falls = [one for n in range(6) for one in fall([90, 90, 97, 97], start=day * 1440 + 9 * n)]
        names += [("spo2", day * 1440 + 9 * n + 1) for n in range(6)]
        await patient.send(*falls, minute=day * 1440 + 50)
    assert len(await patient.standing()) == 240
    await patient.delete(*names)
    assert await patient.standing() == []


async def test_one_reading_through_two_apps_does_not_confirm_itself(patient: Patient) -> None:
    twice = [reading(1, 91), reading(1, 91, name="again", s=1)]
    assert await patient.send(*twice, reading(2, 96), minute=3) == []


async def test_two_readings_of_a_cuff_that_agree(patient: Patient) -> None:
    assert await patient.send(pressure(0, 184, 95), minute=1) == []
    (alert,) = await patient.send(pressure(5, 182, 112), minute=6)
    assert (alert.severity, alert.peak_v, alert.peak_v2) == (2, 1840, 1120)


async def test_a_cuff_that_disagrees_says_nothing(patient: Patient, store: Store) -> None:
    await patient.send(pressure(0, 184, 95), minute=1)
    await patient.send(pressure(5, 150, 90), minute=6)
    await _time_passes(store, patient, 11)
    assert await patient.alerts() == []


async def test_a_critical_cuff_that_nothing_follows_counts_by_itself(patient: Patient, store: Store) -> None:
    await patient.send(pressure(0, 184, 95), minute=1)
    assert await _due(store, patient) == after(10)
    assert await _time_passes(store, patient, 10) == ["active"]
    assert said(await patient.alerts()) == [(2, "active", 0, 0, 1840)]


async def test_a_timer_and_a_batch_of_the_same_person_wait_for_each_other_in_one_order(
    patient: Patient, store: Store
) -> None:
    """The tick has taken its row, the batch has the head, and each then wants what the other has."""
    await patient.send(pressure(0, 184, 95), minute=1)
    patient.clock.set(after(10.1))
    now, claimed, held = patient.clock.now(), asyncio.Event(), asyncio.Event()

    async def tick() -> object:
        async with store.transaction() as tx:
            all_due = await claim_due(tx, bucket_of(patient.patient_id), now, 500, judging.JOB)
            (due,) = [one for one in all_due if one.ref.startswith(str(patient.patient_id))]
            claimed.set()
            await held.wait()
            again = await judging.look_again(tx, store.keys, due.ref, now)
            if again is not None:
                await schedule(tx, bucket_of(patient.patient_id), again, due.kind, due.ref)
            return again

    async def send() -> Ack | Refused:
        await claimed.wait()
        second = taken(pressure(10.05, 186, 96), now=now, seq=99, sent_at=text_of(now))
        async with store.transaction() as tx:
            await LOCK_HEAD.one(tx, patient.patient_id)
            held.set()
            return await store_batch(tx, patient.patient_id, patient.birth, second, now)

    again, ack = await asyncio.gather(tick(), send())
    assert again == now + judging.AGAIN
    assert isinstance(ack, Ack)
    assert [one.severity for one in await patient.alerts()] == [2]
    assert await _due(store, patient) == after(20.05)


async def test_a_pressure_of_today_that_comes_late_is_a_silent_notice(patient: Patient) -> None:
    await patient.send(pressure(0, 184, 95), pressure(2, 186, 96), minute=5 * 60)
    assert [(one.is_silent, one.severity) for one in await patient.alerts()] == [(True, 2)]
    other = await make_patient(patient.store, patient.clock)
    await other.send(pressure(0, 184, 95), pressure(2, 186, 96), minute=25 * 60)
    assert await other.alerts() == []


async def test_an_alert_ends_by_silence(patient: Patient, store: Store) -> None:
    await patient.send(*fall([93, 93, 93]), minute=3)
    assert await _due(store, patient) == after(62)
    assert await _time_passes(store, patient, 62) == ["closed"]


async def test_no_alert_of_a_childs_pressure(store: Store, clock: FrozenClock) -> None:
    child = await make_patient(store, clock, "2019-02-01")
    assert await child.send(pressure(0, 190, 120), pressure(2, 190, 120), minute=3) == []
    assert await child.alerts() == []


async def _due(store: Store, patient: Patient) -> object:
    async with store.transaction() as tx:
        return await tx.fetchval(
            "SELECT due_at FROM due_queue WHERE kind = $1 AND ref LIKE $2",
            judging.JOB,
            f"{patient.patient_id}:%",
        )


async def _time_passes(store: Store, patient: Patient, minute: float) -> list[str]:
    """The timer fires; what becomes of the alerts."""
    async with store.transaction() as tx:
        ref = await tx.fetchval(
            "SELECT ref FROM due_queue WHERE kind = $1 AND ref LIKE $2",
            judging.JOB,
            f"{patient.patient_id}:%",
        )
        if ref is not None:
            await judging.look_again(tx, store.keys, ref, after(minute))
    return [one.status for one in await patient.alerts()]


async def test_what_was_seen_stays_silent_through_the_next_readings(patient: Patient) -> None:
    (alert,) = await patient.send(*fall([93, 93, 93]), minute=3)
    await patient.acknowledge(alert, 1800)
    await patient.send(*fall([93] * 20, start=3), minute=23)
    assert said(await patient.alerts()) == [(1, "acked", 0, 22, 930)]
    # The silence is over, and it still goes on.
    await patient.send(*fall([93] * 12, start=23), minute=35)
    assert said(await patient.alerts()) == [(1, "active", 0, 34, 930)]


async def test_a_higher_severity_wakes_what_was_silenced(patient: Patient) -> None:
    (alert,) = await patient.send(*fall([93, 93, 93]), minute=3)
    await patient.acknowledge(alert, 1800)
    await patient.send(*fall([90, 90], start=3), minute=5)
    assert said(await patient.alerts()) == [(2, "active", 0, 4, 900)]


async def test_silence_for_low_is_none_for_high(patient: Patient, store: Store) -> None:
    """Two rules, two directions: one silence ends neither the other's alerts nor comes from them."""
    await patient.confirm("hr-adult-low", "hr-adult-high")
    (low,) = await patient.send(*fall([38, 38], k="heart-rate"), minute=2)
    await patient.acknowledge(low, 3600)
    (high,) = await patient.send(*fall([140, 140], start=3, k="heart-rate"), minute=5)
    assert (low.direction, high.direction, high.status) == (-1, 1, "active")


async def test_what_begins_in_silence_is_told_after_it(patient: Patient) -> None:
    (alert,) = await patient.send(*fall([93, 93, 93]), minute=3)
    await patient.acknowledge(alert, 4 * 3600)
    await patient.send(*fall([98, 98], start=3), minute=5)
    assert await patient.send(*fall([93] * 10, start=60), minute=70) == []
    assert [one.status for one in await patient.alerts()] == ["closed", "acked"]
    assert len(await patient.send(*fall([91, 91], start=70), minute=72)) == 0
    assert said(await patient.alerts())[1] == (2, "active", 60, 71, 910)


async def test_a_high_heart_rate_is_explained_by_steps(patient: Patient, store: Store) -> None:
    await patient.confirm("hr-adult-low", "hr-adult-high")
    until = text_of(after(20))
    steps = sample("walk", "steps", 2400, "{steps}", t=text_of(after(0)), end=until)
    racing = fall([150] * 10, start=15, k="heart-rate")
    opened = await patient.send(*racing, minute=25)
    assert len(opened) == 1
    # The steps come later: it was no alert.
    await patient.send(steps, minute=26)
    assert [one.status for one in await patient.alerts()] == ["retracted"]
    # Ten minutes after the last of them it counts again.
    assert len(await patient.send(*fall([150] * 3, start=31, k="heart-rate"), minute=34)) == 1
    resting = await make_patient(store, patient.clock)
    assert await resting.send(steps, *racing, minute=26) == []
    at_rest = [reading(15 + n, 150, "heart-rate", ctx="workout") for n in range(5)]
    sporting = await make_patient(store, patient.clock)
    assert await sporting.send(*at_rest, minute=26) == []


async def test_how_many_steps_explain_a_heart_rate_is_a_setting(
    patient: Patient,
    server: Server,
    keys: KeyRing,
    tmp_path: Path,
    make_database: Callable[[], Awaitable[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever opens a store judges by it: 80 steps a minute are none by default."""
    monkeypatch.setattr(MOVING, "steps_a_minute", MOVING.steps_a_minute)
    await patient.confirm("hr-adult-low", "hr-adult-high")
    walk = sample("walk", "steps", 1600, "{steps}", t=text_of(after(0)), end=text_of(after(20)))
    racing = fall([150] * 10, start=15, k="heart-rate")
    assert len(await patient.send(walk, *racing, minute=25)) == 1
    address = server.dsn("hb_api", await make_database())
    settings = Settings(healthbook_data=str(tmp_path), database_url=address, vital_steps_a_minute=79)
    async with opened_store(Place(settings, None), "hb_api", keys):
        other = await make_patient(patient.store, patient.clock)
        assert await other.send(walk, *racing, minute=25) == []


async def test_a_week_of_high_pressure_is_one_notice(patient: Patient, store: Store) -> None:
    day = 24 * 60
    for n in range(5):
        for hour in (0, 12 * 60):
            at = n * day + hour
            await patient.send(pressure(at, 150, 80), pressure(at + 2, 148, 80), minute=at + 3)
    (alert,) = await patient.alerts()
    assert (alert.severity, alert.status, alert.peak_v) == (1, "active", 1490)
    assert alert.is_silent is False
    for n in range(5, 12):
        for hour in (0, 12 * 60):
            at = n * day + hour
            await patient.send(pressure(at, 120, 70), pressure(at + 2, 121, 70), minute=at + 3)
    assert [one.status for one in await patient.alerts()] == ["closed"]


async def test_a_long_event_is_judged_the_same_with_and_without_its_checkpoint(
    patient: Patient, store: Store, clock: FrozenClock
) -> None:
    """One that lasts three hours; then a reading of its first hour is edited, and one is deleted."""
    other = await make_patient(store, clock)
    values = [93.5 - 0.01 * (n % 40) for n in range(180)]
    for n in range(0, 180, 20):
        for one in (patient, other):
            await one.send(*fall(values[n : n + 20], start=n), minute=n + 20)
            if one is other:
                await _forget_checkpoints(store, other)
    for one in (patient, other):
        await one.send(reading(30, 90.5, ver=2), minute=181)
        await one.send(reading(31, 90.5, ver=2))
        await one.delete(("spo2", 0))
        await one.send(*fall([93.2] * 5, start=182), minute=187)
    assert said(await patient.alerts()) == said(await other.alerts()) == [(1, "active", 1, 186, 905)]
    async with store.transaction() as tx:
        kept = await tx.fetchval(
            "SELECT checkpoint_t FROM alert_state WHERE patient_id = $1 AND checkpoint IS NOT NULL",
            patient.patient_id,
        )
    assert kept == after(187 - 70)
    await patient.send(*fall([98, 98], start=190), minute=192)
    assert [one.status for one in await patient.alerts()] == ["closed"]
    await patient.send(*fall([93, 93, 93], start=600), minute=603)
    async with store.transaction() as tx:
        left = await tx.fetchval(
            "SELECT count(checkpoint) FROM alert_state WHERE patient_id = $1", patient.patient_id
        )
    assert left == 0


async def _forget_checkpoints(store: Store, patient: Patient) -> None:
    async with store.transaction() as tx:
        await tx.execute(
            "UPDATE alert_state SET checkpoint = NULL, checkpoint_t = NULL WHERE patient_id = $1",
            patient.patient_id,
        )
