"""What the machine of a rule can be set to, and what that changes."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from kernel.access import RecordType
from store.database import Store
from tests.support.alerting import CGM, Patient, after, make_patient, reading
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_proxy
from tests.support.http import client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, renew_session
from tests.support.telling import House
from tests.vitals.alerts.test_rules_api import PATH, WEARABLE, Api
from vitals.alerts.defaults import default_rules, defaults
from vitals.alerts.models import AlertRow
from vitals.rules.models import RuleMachine
from vitals.rules.policy import machine_fault
from vitals.rules.queries import UNCONFIRM

FAST = {"kind": "heart-rate", "direction": "high", "unit": "/min", "warn": 110}
SPO2 = {"kind": "spo2", "direction": "low", "unit": "%", "warn": 95}

FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "more hysteresis than there is": ("heart-rate", {"hysteresis": 10.1}, "hysteresis"),
    "no reading": ("spo2", {"confirm_n": 7}, "confirm_n"),
    "more readings than come in the time": ("spo2", {"confirm_n": 4}, "confirm_n"),
    "less time than critical ones need": ("spo2", {"confirm_s": 599}, "confirm_s"),
    "a pause longer than a silence": ("spo2", {"cooldown_s": 14_401}, "cooldown_s"),
    "no pause": ("spo2", {"cooldown_s": 599}, "cooldown_s"),
    "a cuff that measures all the time": ("blood-pressure", {"stale_after_s": 3600}, "stale_after_s"),
    "a sensor that is never silent": ("glucose", {"stale_after_s": 1799}, "stale_after_s"),
    "half of quiet hours": ("spo2", {"quiet_from": "22:00"}, "quiet_until"),
    "quiet all day": ("spo2", {"quiet_from": "06:00", "quiet_until": "18:01"}, "quiet_until"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_machine_outside_its_bounds_is_refused_with_its_place(fault: str) -> None:
    kind, machine, field = FAULTS[fault]
    found = machine_fault(kind, RuleMachine(**machine))
    assert found is not None
    assert found[1] == f"machine.{field}"


def test_a_wall_time_has_no_line_feed_behind_it() -> None:
    """It would be kept, and no warning of the rule could be told."""
    assert msgspec.convert({"quiet_from": "22:00"}, RuleMachine).quiet_from == "22:00"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"quiet_from": "22:00\n"}, RuleMachine)


@pytest.mark.parametrize("kind", defaults().kinds)
def test_what_ships_lies_within_the_bounds_of_its_machine(kind: str) -> None:
    ships = defaults().kinds[kind]
    names = ("hysteresis", "confirm_n", "confirm_s", "cooldown_s")
    assert machine_fault(kind, RuleMachine(**{name: getattr(ships, name) for name in names})) is None


def test_what_lies_on_a_bound_is_set() -> None:
    edges = RuleMachine(
        hysteresis=10,
        confirm_n=6,
        confirm_s=1500,
        cooldown_s=14_400,
        stale_after_s=86_400,
        quiet_from="21:00",
        quiet_until="09:00",
    )
    assert machine_fault("heart-rate", edges) is None


@pytest.fixture
async def me(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def test_a_machine_is_set_shown_and_kept_in_versions_by_everybody_who_sets_limits(
    store: Store, owner: Store, clock: FrozenClock, me: Citizen
) -> None:
    machine = {
        "hysteresis": 5,
        "confirm_n": 4,
        "confirm_s": 900,
        "quiet_from": "22:00",
        "quiet_until": "06:30",
    }
    other = await make_citizen(store, clock)
    await make_proxy(store, clock, me, other, "vitals")
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, me, types=frozenset[RecordType]({WEARABLE}))
    async with client_of(store, clock) as client:
        acting = {
            "citizen": Api(client, me.token),
            "follower": Api(client, other.token, **{"X-Patient-Id": str(me.patient_id)}),
            "doctor": Api(client, doctor.token, f"/v1/doctor/patients/{me.patient_id}/alert-rules"),
        }
        for role, api in acting.items():
            assert (await api.put(FAST | {"machine": machine})).status_code == 200
            (mine,) = [one for one in (await api.read())["rules"] if one["is_mine"]]
            assert mine["set_by"] == role
            assert {name: mine["own_machine"][name] for name in machine} == machine
            assert mine["own_machine"].get("cooldown_s") is None
            assert mine["machine"]["cooldown_s"] == 1800, "whole"
        api = acting["citizen"]
        again = await api.put(FAST | {"machine": machine})
        assert again.json()["changed"] == 0
        changed = await api.put(FAST | {"machine": machine | {"confirm_n": 2}})
        assert changed.json()["changed"] == 1
        wide = await api.put(FAST | {"machine": {"cooldown_s": 86_400}})
        assert (wide.status_code, wide.json()["code"]) == (422, "alert-rule-out-of-bounds")
        found = await api.read()
    bounds = {one["kind"]: one["machine"] for one in found["bounds"]}
    assert bounds["heart-rate"]["hysteresis"] == {"least": 0, "most": 10}
    assert bounds["blood-pressure"].get("stale_after_s") is None
    async with owner.transaction() as tx:
        kept = await tx.fetch(
            "SELECT ver, confirm_n FROM alert_rule WHERE patient_id = $1 AND owner_role = 'citizen'"
            " ORDER BY ver",
            me.patient_id,
        )
    assert [tuple(row) for row in kept] == [(1, 4), (2, 2)], "every change is a version"


async def set_rules(house: House, *rules: dict[str, Any], who: Citizen | None = None) -> None:
    headers = {"X-Patient-Id": str(house.me.patient_id)} if who is not None else {}
    async with client_of(house.store, house.clock) as client:
        token = await renew_session(house.store, house.clock, who or house.me)
        done = await Api(client, token, PATH, **headers).put(*rules)
    assert done.status_code == 200, done.text


async def of(house: House, measure: str) -> list[AlertRow]:
    return [one for one in await house.patient.alerts() if one.measure == measure]


async def test_an_alert_comes_and_ends_as_its_rule_was_set(house: House) -> None:
    asked = {"confirm_n": 2, "hysteresis": 3}
    await set_rules(house, SPO2 | {"machine": asked})
    assert await house.measure([97, 94], minute=1) == []
    (alert,) = await house.measure([94], minute=2)
    await house.measure([96, 96, 96], minute=5)
    assert [one.closed_at for one in await of(house, "reading")] == [None], "96 is not clear by three"
    await house.measure([98, 98], minute=7)
    assert [one.status for one in await of(house, "reading")] == ["closed"]
    assert alert.rule_ver == 1


async def test_a_warning_waits_for_the_end_of_its_rules_quiet_hours_and_what_is_critical_does_not(
    house: House,
) -> None:
    begins, ends = house.wall(0), house.wall(60)
    await set_rules(house, SPO2 | {"machine": {"quiet_from": begins, "quiet_until": ends}})
    await house.measure([97, 94.6, 94.5, 94.4], minute=3)
    await house.measure([94.5] * 55, minute=58)
    await house.until(59)
    assert await house.told() == []
    await house.until(61)
    assert await house.told() == [("me", "vital-alert", 60)]


async def test_what_is_critical_rings_in_the_quiet_hours_of_its_rule(house: House) -> None:
    await set_rules(house, SPO2 | {"machine": {"quiet_from": house.wall(0), "quiet_until": house.wall(60)}})
    await house.measure([97, 91, 90.5], minute=3)
    await house.until(4)
    assert await house.told() == [("me", "vital-alert-critical", 3)]


async def test_a_warning_that_is_over_before_the_quiet_hours_end_is_told_to_nobody(house: House) -> None:
    await set_rules(house, SPO2 | {"machine": {"quiet_from": house.wall(0), "quiet_until": house.wall(60)}})
    await house.measure([97, 94.6, 94.5, 94.4, 98, 98], minute=5)
    await house.until(70)
    assert await house.told() == []


WATCHED = SPO2 | {"machine": {"stale_after_s": 3600}}


async def test_a_device_that_gives_nothing_any_more_is_told_once_and_over_as_soon_as_data_come(
    house: House,
) -> None:
    await house.follow("son")
    await set_rules(house, WATCHED)
    await house.measure([97] * 3, minute=3)
    await house.until(62)
    assert await of(house, "no-data") == []
    await house.until(600)
    (alert,) = await of(house, "no-data")
    assert (alert.status, alert.severity, alert.peak_v) == ("active", 1, 970)
    assert await house.told() == [("me", "vital-alert", 63)], "once, and nobody else"
    await house.measure([97], minute=601)
    (alert,) = await of(house, "no-data")
    assert alert.status == "closed"
    await house.until(660)
    assert len(await house.told()) == 1
    await house.until(662)
    assert [minute for _, _, minute in await house.told()] == [63, 661], "and of the next silence again"


async def test_late_data_end_a_silence(house: House) -> None:
    await set_rules(house, WATCHED)
    await house.measure([97] * 3, minute=3)
    await house.until(70)
    late = [reading(minute, 97) for minute in range(5, 40, 5)]
    await house.patient.send(*late, minute=71)
    assert [one.status for one in await of(house, "no-data")] == ["closed"]
    await house.until(94)
    assert len(await of(house, "no-data")) == 1
    await house.until(96)
    assert [one.status for one in await of(house, "no-data")] == ["closed", "active"], (
        "an hour after the last"
    )


async def test_data_that_are_too_late_leave_it_silent(house: House) -> None:
    await set_rules(house, WATCHED)
    await house.measure([97] * 3, minute=3)
    await house.until(180)
    await house.patient.send(reading(30, 97), minute=181)
    (alert,) = await of(house, "no-data")
    assert (alert.status, alert.last_t) == ("active", after(30))
    assert len(await house.told()) == 1


@pytest.mark.parametrize("source", [{"app": "a", "kind": "meter"}, CGM | {"method": "manual"}])
async def test_what_is_measured_singly_is_never_missed(house: House, source: dict[str, str]) -> None:
    glucose = {"kind": "glucose", "direction": "low", "unit": "mmol/L", "warn": 4.5}
    await set_rules(house, glucose | {"machine": {"stale_after_s": 3600}})
    await house.patient.send(reading(0, 6, "glucose"), minute=0, sources=[source])
    await house.until(300)
    assert await of(house, "no-data") == []


async def test_a_silence_that_begins_in_a_snooze_is_told_when_that_is_over(
    house: House,
) -> None:
    await set_rules(house, WATCHED)
    await house.measure([97] * 3, minute=3)
    await house.until(64)
    (alert,) = await of(house, "no-data")
    await house.patient.acknowledge(alert, 4 * 3600)
    await house.measure([97], minute=70)
    await house.until(300)
    assert [one.status for one in await of(house, "no-data")] == ["closed", "acked"]
    assert len(await house.told()) == 1
    await house.until(310)
    assert [minute for _, _, minute in await house.told()] == [63, 304]


async def test_a_silence_that_somebody_saw_is_not_told_again(house: House) -> None:
    await set_rules(house, WATCHED)
    await house.measure([97] * 3, minute=3)
    await house.until(64)
    (alert,) = await of(house, "no-data")
    await house.patient.acknowledge(alert, 600)
    await house.patient.send(reading(5, 97), minute=80)
    await house.until(300)
    assert [one.status for one in await of(house, "no-data")] == ["acked"]
    assert len(await house.told()) == 1


async def test_nobody_who_did_not_ask_hears_that_nothing_comes(house: House) -> None:
    await set_rules(house, SPO2)
    await house.measure([97] * 3, minute=3)
    await house.until(600)
    assert await house.told() == []


async def test_a_relative_who_asked_hears_it_alone(house: House) -> None:
    son = await house.follow("son")
    await set_rules(house, WATCHED, who=son)
    await house.measure([97] * 3, minute=3)
    await house.until(300)
    assert await house.told() == [("son", "dependent-alert", 63)]


async def test_a_silence_ends_with_the_wish_to_hear_of_it(house: House) -> None:
    await set_rules(house, WATCHED)
    await house.measure([97] * 3, minute=3)
    await house.until(70)
    await set_rules(house, SPO2)
    await house.work()
    assert [one.status for one in await of(house, "no-data")] == ["closed"]


async def test_a_silence_is_asked_for_after_the_last_reading_too(house: House) -> None:
    await house.measure([97] * 3, minute=3)
    await house.until(30)
    await set_rules(house, WATCHED)
    await house.until(64)
    assert await house.told() == [("me", "vital-alert", 63)]


async def test_what_was_silent_long_before_somebody_asked_is_not_told(house: House) -> None:
    await house.measure([97] * 3, minute=3)
    await house.until(3 * 24 * 60)
    await set_rules(house, WATCHED)
    await house.until(3 * 24 * 60 + 100)
    assert await house.told() == []


HOUR = 60
LASTING = "temp-child-lasting"
THERMOMETER = {"app": "vn.example.thermometer", "kind": "thermometer"}


@pytest.fixture
async def child(store: Store, clock: FrozenClock) -> AsyncIterator[Patient]:
    """For whom an operator named a source."""
    one = await make_patient(store, clock, "2020-05-05")
    await one.confirm(LASTING)
    yield one
    async with store.transaction() as tx:
        await UNCONFIRM.run(tx, LASTING)


async def fevers(child: Patient, at: Sequence[tuple[float, float]]) -> list[float]:
    """The hours at which a fever that lasts was told, of readings (hour, °C) that come one by one."""
    begun = list[float]()
    for hour, value in at:
        one = reading(hour * HOUR, value, "temperature")
        found = await child.send(one, minute=hour * HOUR, sources=[THERMOMETER])
        begun += [hour for it in found if it.measure == "lasting"]
    return begun


EVERY_8 = [(float(hour), 38.7) for hour in range(0, 80, 8)]


async def test_a_childs_fever_of_more_than_two_days_is_one_notice(child: Patient) -> None:
    assert await fevers(child, EVERY_8) == [56], "48 hours is not more than that"
    assert [it.status for it in await child.alerts() if it.measure == "lasting"] == ["active"]
    await fevers(child, [(80, 37.2)])
    assert [it.status for it in await child.alerts() if it.measure == "lasting"] == ["closed"]


async def test_a_fever_of_a_week_measured_once_a_day_is_one_notice(child: Patient) -> None:
    assert await fevers(child, [(24.0 * day, 39.1) for day in range(8)]) == [72]


@pytest.mark.parametrize(
    "inside",
    [
        [(hour, 37.0 if hour == 32 else value) for hour, value in EVERY_8],
        [one for one in EVERY_8 if one[0] in (0, 8, 16, 48, 56, 64)],
        [(hour, 38.4) for hour, _ in EVERY_8],
    ],
    ids=["a normal one between", "nothing measured for more than a day", "below"],
)
async def test_a_fever_that_went_away_or_that_nobody_measured_does_not_last(
    child: Patient, inside: list[tuple[float, float]]
) -> None:
    assert await fevers(child, inside) == []


async def test_a_lasting_fever_is_the_same_whatever_order_its_readings_come_in(child: Patient) -> None:
    items = [reading(hour * HOUR, v, "temperature") for hour, v in EVERY_8 if hour <= 56]
    await child.send(*items[::2], minute=56 * HOUR, sources=[THERMOMETER])
    await child.send(*items[1::2], minute=56 * HOUR + 1, sources=[THERMOMETER])
    assert [(it.measure, it.status) for it in await child.alerts()] == [("lasting", "active")]
    await child.send(reading(30 * HOUR, 37, "temperature"), minute=56 * HOUR + 2, sources=[THERMOMETER])
    assert [(it.measure, it.status) for it in await child.alerts()] == [("lasting", "retracted")]


async def test_a_fever_of_last_month_that_did_not_last_after_all_is_taken_back(child: Patient) -> None:
    """The reading that makes the difference lies before the first one that was told."""
    await fevers(child, [*EVERY_8, (80, 37.0)])
    await child.send(reading(30 * HOUR, 37, "temperature"), minute=800 * HOUR, sources=[THERMOMETER])
    assert [(it.measure, it.status) for it in await child.alerts()] == [("lasting", "retracted")]


def test_a_lasting_fever_is_of_children_and_off_until_somebody_names_a_source() -> None:
    today, named = date(2026, 11, 22), frozenset({LASTING})

    def has(birth: str, confirmed: frozenset[str]) -> bool:
        return LASTING in {rule.name for rule in default_rules(birth, today, confirmed)}

    assert has("2020-05-05", named)
    assert not has("2020-05-05", frozenset())
    assert not has("1985-03-12", named)
    assert not has("2026-10-01", named)
