"""Who hears of an alert: one after the other, until somebody says that it was seen."""

from datetime import timedelta

import pytest

from kernel.access import mint_access
from kernel.clock import VIETNAM
from notifications.inbox import text_of
from notifications.models import NotificationType
from store.person_tables import TABLES, rows_of
from tests.support.alerting import Patient, pressure
from tests.support.family import make_child
from tests.support.http import client_of
from tests.support.telling import CRITICAL, WARN, House
from vitals.alerts.models import AlertRow
from vitals.rules.models import RuleBody, RulesBody, RulesSet
from vitals.rules.service import end as end_rule
from vitals.rules.service import put
from vitals.telling.policy import AGAIN, chain_of
from vitals.telling.queries import LOCK_ALERT
from vitals.telling.service import begin, go_on


async def opened(house: House, values: list[float], minute: float = 3) -> AlertRow:
    (alert,) = await house.measure(values, minute=minute)
    await house.work()
    return alert


async def test_a_critical_alert_goes_on_every_five_minutes_to_whoever_follows(house: House) -> None:
    await house.follow("son")
    await house.follow("daughter")
    await opened(house, CRITICAL)
    await house.until(4)
    assert await house.told() == [("me", "vital-alert-critical", 3)]
    await house.until(60)
    assert await house.told() == [
        ("me", "vital-alert-critical", 3),
        ("son", "dependent-alert-critical", 8),
        ("daughter", "dependent-alert-critical", 13),
    ]
    assert {status for _, status in await house.pushed()} == {"sent"}


async def test_a_warning_waits_half_an_hour_for_each(house: House) -> None:
    await house.follow("son")
    await opened(house, WARN)
    # It stands: readings keep coming.
    await house.measure([93.5] * 20, minute=24)
    await house.until(32)
    assert await house.told() == [("me", "vital-alert", 3)]
    await house.until(33)
    assert (await house.told())[1:] == [("son", "dependent-alert", 33)]


async def test_what_is_over_by_itself_goes_no_further(house: House) -> None:
    await house.follow("son")
    await opened(house, CRITICAL)
    await house.measure([97, 97, 97], minute=6)
    await house.until(60)
    assert await house.told() == [("me", "vital-alert-critical", 3)]


async def test_somebody_who_has_seen_it_ends_the_chain_and_the_others_hear_so(house: House) -> None:
    son = await house.follow("son")
    await house.follow("daughter")
    alert = await opened(house, CRITICAL)
    await house.until(9)
    async with client_of(house.store, house.clock) as client:
        seen = await house.ack(client, son, alert, snooze_s=600)
    assert seen.status_code == 200, seen.text
    await house.until(60)
    assert (await house.told())[2:] == [("me", "vital-alert-ended", 9)]
    assert [status for who, status in await house.pushed("sms") if who == "son"] == ["dropped"]


async def test_a_critical_alert_that_no_phone_answered_goes_by_sms(house: House) -> None:
    await opened(house, CRITICAL)
    assert await house.pushed("sms") == [("me", "pending")]
    house.clock.advance(minutes=5)
    await house.work()
    assert await house.pushed("sms") == [("me", "sent")]


async def test_a_warning_never_goes_by_sms(house: House) -> None:
    await opened(house, WARN)
    assert await house.pushed("sms") == []


async def test_an_alert_that_grows_worse_begins_the_chain_again(house: House) -> None:
    await house.follow("son")
    await opened(house, WARN)
    await house.measure([91, 90.5], minute=5)
    await house.until(60)
    assert await house.told() == [
        ("me", "vital-alert", 3),
        ("me", "vital-alert-critical", 5),
        ("son", "dependent-alert-critical", 10),
    ]


async def test_a_step_that_is_taken_twice_says_nothing(house: House) -> None:
    alert = await opened(house, CRITICAL)
    before = await house.told()
    async with house.store.transaction() as tx:
        now = house.clock.now()
        await begin(tx, house.store.keys, alert.patient_id, alert.alert_id, now)
        ref = f"{alert.patient_id}:{alert.alert_id}"
        assert await go_on(tx, house.store.keys, ref, now) is None
    await house.work()
    assert await house.told() == before


async def test_a_childs_guardian_comes_first(house: House) -> None:
    mother, child = await house.mother_of("2020-05-05")
    (alert,) = await house.measure([97, 95, 95, 95], minute=3, patient=child)
    await house.until(32)
    assert await house.told() == [("mother", "dependent-alert", 3)]
    async with client_of(house.store, house.clock) as client:
        assert (await house.ack(client, mother, alert)).status_code == 200


async def test_who_may_not_follow_any_more_is_not_told(house: House) -> None:
    son = await house.follow("son")
    await house.follow("reader", "read-record")
    await opened(house, CRITICAL)
    async with house.owner.transaction() as tx:
        await tx.execute(
            "UPDATE proxy SET ended_at = $2 WHERE proxy_id = $1", son.patient_id, house.clock.now()
        )
    await house.until(60)
    assert await house.told() == [("me", "vital-alert-critical", 3)]


@pytest.mark.parametrize("ends", [False, True])
async def test_a_followers_own_limit_alerts_that_person_alone_and_is_asked_again(
    house: House, ends: bool
) -> None:
    son, _ = await house.follow("son"), await house.follow("daughter")
    await house.limit_of(son)
    (alert,) = await house.measure([97, 95, 95, 95], minute=3)
    assert (alert.owner_role, alert.owner_id) == ("follower", son.patient_id)
    if ends:
        async with house.owner.transaction() as tx:
            await tx.execute("UPDATE proxy SET scopes = '{reminders}' WHERE proxy_id = $1", son.patient_id)
    await house.until(120)
    assert await house.told() == ([] if ends else [("son", "dependent-alert", 3)])
    async with client_of(house.store, house.clock) as client:
        refused = await house.ack(client, house.me, alert)
    assert (refused.status_code, refused.json()["code"]) == (404, "no-such-alert"), "not the person's"


async def test_a_day_has_six_warnings_that_ring(house: House) -> None:
    for hour in range(8):
        await opened(house, WARN, minute=3 + 60 * hour)
        await house.measure([97, 97, 97], minute=7 + 60 * hour)
    await house.work()
    steps = await house.rows("SELECT status FROM alert_delivery ORDER BY at")
    assert [row[0] for row in steps] == ["told"] * 6 + ["capped"] * 2
    assert len(await house.told()) == 8, "the inbox has all"
    await opened(house, CRITICAL, minute=600)
    steps = await house.rows("SELECT status FROM alert_delivery ORDER BY at DESC LIMIT 1")
    assert steps[0][0] == "told", "what is critical always rings"


async def test_the_next_day_has_six_again(house: House) -> None:
    for hour in (*range(7), 24):
        await opened(house, WARN, minute=3 + 60 * hour)
        await house.measure([97, 97, 97], minute=7 + 60 * hour)
    steps = await house.rows("SELECT status FROM alert_delivery ORDER BY at")
    assert [row[0] for row in steps] == ["told"] * 6 + ["capped", "told"]


@pytest.mark.parametrize(("values", "rings"), [(WARN, False), (CRITICAL, True)])
async def test_quiet_hours_hold_back_a_warning_and_nothing_critical(
    house: House, values: list[float], rings: bool
) -> None:
    """23:00 lies in the quiet hours that hold where nothing was chosen."""
    minute = minutes_until_hour(house, 23)
    await opened(house, values, minute=minute)
    assert [status for _, status in await house.pushed()] == (["sent"] if rings else [])
    assert len(await house.told()) == 1, "the inbox has it at once"


def minutes_until_hour(house: House, hour: int) -> int:
    here = house.clock.now().astimezone(VIETNAM)
    at = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    at = at if at > here else at + timedelta(days=1)
    return int((at - here) / timedelta(minutes=1))


async def test_what_was_deleted_is_taken_back_once_and_of_what_nobody_heard_nothing_is_said(
    house: House,
) -> None:
    await house.follow("son")
    await opened(house, CRITICAL)
    await house.until(9)
    assert len(await house.told()) == 2
    await house.patient.delete(("spo2", 2), ("spo2", 3), minute=9)
    await house.until(60)
    assert (await house.told())[2:] == [("me", "vital-alert-ended", 9), ("son", "vital-alert-ended", 9)]
    await house.measure([91, 90], minute=100)
    await house.patient.delete(("spo2", 99), ("spo2", 100), minute=100)
    await house.until(160)
    assert len(await house.told()) == 4


async def test_a_late_blood_pressure_stands_in_the_app_and_rings_nowhere(house: House) -> None:
    await house.follow("son")
    late = await house.patient.send(pressure(0, 185, 112), pressure(5, 186, 113), minute=180)
    assert [one.is_silent for one in late] == [True]
    await house.until(300)
    assert await house.told() == [("me", "vital-alert", 180)]
    assert await house.pushed() == []


async def test_of_what_wakes_after_its_silence_everybody_hears_again(house: House) -> None:
    await house.follow("son")
    alert = await opened(house, CRITICAL)
    async with client_of(house.store, house.clock) as client:
        await house.until(9)
        assert (await house.ack(client, house.me, alert, snooze_s=1200)).status_code == 200
        await house.work()
        await house.measure([91] * 30, minute=34)
        await house.until(40)
    assert await house.told() == [
        ("me", "vital-alert-critical", 3),
        ("son", "dependent-alert-critical", 8),
        ("son", "vital-alert-ended", 9),
        ("me", "vital-alert-critical", 34),
        ("son", "dependent-alert-critical", 39),
    ]


def test_the_order_of_the_chain() -> None:
    me, a, b, c = (f"p{n}" for n in range(4))
    assert chain_of(me, [], [a, b], owner_id=None) == [me, a, b]  # type: ignore[arg-type, list-item]
    assert chain_of(me, [a, b], [c], owner_id=None) == [a, b, me, c]  # type: ignore[arg-type, list-item]
    assert chain_of(me, [a], [a, c], owner_id=None) == [a, me, c]  # type: ignore[arg-type, list-item]
    assert chain_of(me, [a], [b], owner_id=c) == [c]  # type: ignore[arg-type, list-item]


async def test_what_a_limit_told_ends_with_it(house: House) -> None:
    """A warning by one's own limit; the limit ends, and nobody further hears."""
    await house.follow("son")
    async with house.store.transaction() as tx:
        access = mint_access(
            patient_id=house.me.patient_id,
            actor=house.me.actor,
            action="manage-alerts",
            purpose="PATRQT",
            basis="self",
        )
        own = RulesBody(rules=[RuleBody(kind="spo2", direction="low", unit="%", warn=96)], version=0)
        assert isinstance(await put(tx, house.store.keys, access, own, house.clock.now()), RulesSet)
    await house.work()
    (alert,) = await house.measure([97, 95, 95, 95], minute=3)
    await house.work()
    assert await house.told() == [("me", "vital-alert", 3)]
    async with house.store.transaction() as tx:
        assert await end_rule(tx, access, alert.rule_id, house.clock.now()) is None
    async with house.store.transaction() as tx:
        assert (
            await go_on(tx, house.store.keys, f"{alert.patient_id}:{alert.alert_id}", house.clock.now())
            is None
        )
    await house.work()
    (row,) = await house.rows("SELECT status FROM alert")
    assert row[0] == "closed", "at once, without a reading"
    await house.until(60)
    assert await house.told() == [("me", "vital-alert", 3)]


async def test_a_limit_that_is_set_is_judged_at_once(house: House) -> None:
    await house.measure([97, 95, 95, 95], minute=3)
    access = mint_access(
        patient_id=house.me.patient_id,
        actor=house.me.actor,
        action="manage-alerts",
        purpose="PATRQT",
        basis="self",
    )
    async with house.store.transaction() as tx:
        own = RulesBody(rules=[RuleBody(kind="spo2", direction="low", unit="%", warn=96)], version=0)
        await put(tx, house.store.keys, access, own, house.clock.now())
    await house.work()
    assert await house.told() == [("me", "vital-alert", 3)]


async def test_a_guardian_of_three_has_six_warnings_a_day_in_all(house: House) -> None:
    mother, first = await house.mother_of("2020-05-05")
    patients = [first]
    for birth in ("2018-01-01", "2019-01-01"):
        child = await make_child(house.store, house.clock, mother, birth)
        house.names[child] = birth
        patients.append(Patient(house.store, house.clock, child, birth))
    for hour in range(3):
        for patient in patients:
            await house.measure([97, 95, 95, 95], minute=3 + 60 * hour, patient=patient)
            await house.work()
            await house.measure([98, 98, 98], minute=7 + 60 * hour, patient=patient)
    await house.work()
    steps = await house.rows("SELECT status FROM alert_delivery WHERE recipient_id = $1", mother.patient_id)
    assert sorted(row[0] for row in steps) == ["capped"] * 3 + ["told"] * 6


async def test_the_word_that_a_warning_ended_counts_among_the_six(house: House) -> None:
    for hour in range(4):
        await opened(house, WARN, minute=3 + 60 * hour)
        await house.patient.delete(
            *(("spo2", minute + 60 * hour) for minute in (1, 2, 3)), minute=5 + 60 * hour
        )
        await house.work()
    rung = await house.rows("SELECT type, status FROM notification WHERE type LIKE '%alert%'")
    assert sorted(row[1] for row in rung) == ["ring"] * 6 + ["silent"], "the fourth warning"


async def test_two_who_tell_at_once_tell_one_person_and_the_timer_waits_for_nobody(house: House) -> None:
    await house.follow("son")
    alert = await opened(house, CRITICAL)
    ref, now = f"{alert.patient_id}:{alert.alert_id}", house.clock.now()
    async with house.store.transaction() as one:
        await LOCK_ALERT.one(one, alert.patient_id, alert.alert_id)
        async with house.store.transaction() as other:
            assert await go_on(other, house.store.keys, ref, now) == now + AGAIN
    assert await house.told() == [("me", "vital-alert-critical", 3)]


async def test_what_a_relative_keeps_is_not_in_the_persons_copy_nor_who_saw_it(house: House) -> None:
    son = await house.follow("son")
    await house.limit_of(son)
    found = await house.measure([97, 95, 93.5, 93.5, 93.5], minute=4)
    assert {one.owner_role for one in found} == {"default", "follower"}
    await house.work()
    async with client_of(house.store, house.clock) as client:
        (of_book,) = [one for one in found if one.owner_role == "default"]
        assert (await house.ack(client, son, of_book)).status_code == 200
    shown = dict[str, list[dict[str, object]]]()
    async with house.store.transaction() as tx:
        for one in TABLES:
            if one.table in ("alert", "alert_rule", "alert_delivery") and one.unseen is None:
                rows = rows_of(tx, one, house.me.patient_id, house.clock.now(), frozenset())
                shown[one.table] = [row async for row in rows]
    assert [row["owner_role"] for row in shown["alert"]] == ["default"]
    assert (shown["alert_rule"], len(shown["alert_delivery"])) == ([], 1)
    assert str(son.patient_id) not in str(shown)


@pytest.mark.parametrize("type_", ["vital-alert", "vital-alert-critical"])
def test_a_notice_does_not_say_that_somebody_set_what_rang(type_: NotificationType) -> None:
    """Limits of an age ring for people who never set one."""
    assert "đã đặt" not in text_of(type_, "").text


async def test_s23_the_person_reads_each_time_that_another_lengthens_a_critical_silence(
    house: House,
) -> None:
    """A follower could keep what is critical silent for ever, hour by hour, and nobody would hear of it."""
    son = await house.follow("son")
    (alert,) = await house.measure(CRITICAL, minute=3)
    await house.work()
    told = list[int]()
    async with client_of(house.store, house.clock) as client:
        for who in (son, son, son, house.me):
            assert (await house.ack(client, who, alert, snooze_s=3600)).status_code == 200
            await house.work()
            told.append(
                sum(type_ == "vital-alert-ended" for name, type_, _ in await house.told() if name == "me")
            )
            house.clock.advance(minutes=5)
    assert told == [1, 2, 3, 3]
