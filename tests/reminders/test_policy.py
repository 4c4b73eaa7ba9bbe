"""From dose texts to clock times: no time is made up, and what leaves one open is asked."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.dosage.grammar import read_dose
from kernel.clock import VIETNAM
from reminders.models import Plan, Reminder
from reminders.policy import DEFAULTS, ZONE, lapse_told_at, next_after, plan_of, reminder_id_of, rings_at

PERSON, RX = UUID(int=1), UUID(int=2)


def plan(text: str, dispensed: str = "10", ordered: str | None = None, unit: str = "Viên") -> Plan:
    wanted = None if ordered is None else Decimal(ordered)
    return plan_of(read_dose(text), ordered=wanted, dispensed=Decimal(dispensed), unit=unit)


def clock(made: Plan) -> list[str]:
    return [f"{at:%H:%M}" for at in made.times]


def reminder(**more: Any) -> Reminder:
    fields: dict[str, Any] = {
        "patient_id": PERSON,
        "reminder_id": UUID(int=3),
        "kind": "medication",
        "prescription_id": RX,
        "line": 1,
        "state": "active",
        "asks": None,
        "own_times": False,
        "times": [time(7), time(20)],
        "interval_hours": None,
        "zone": ZONE,
        "checks": [],
        "starts_on": date(2026, 11, 21),
        "doses": None,
        "doses_due": 0,
        "next_at": None,
        "last_at": None,
        "end_reason": None,
        "version": 1,
        "changed_at": datetime(2026, 11, 21, tzinfo=UTC),
    }
    return Reminder(**(fields | more))


def here(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


def test_the_clock_times_are_ours_and_say_so() -> None:
    assert "Ours" in DEFAULTS["note"]
    assert DEFAULTS["slots"] == {
        "morning": "07:00",
        "noon": "12:00",
        "afternoon": "17:00",
        "evening": "20:00",
        "night": "21:30",
    }


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("1 viên/lần * 1 lần/ngày * 5 ngày", ["07:00"]),
        ("2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]", ["07:00", "20:00"]),
        ("1 viên/lần * 3 lần/ngày * 5 ngày", ["07:00", "12:00", "20:00"]),
        ("1 viên/lần * 4 lần/ngày * 5 ngày", ["07:00", "12:00", "17:00", "20:00"]),
        ("Sáng: 3 viên, Chiều: 2 viên, Tối: 1 viên [6 viên/ngày]", ["07:00", "17:00", "20:00"]),
        ("Uống 1 viên/lần, ngày 2 lần, sáng và tối, sau ăn, trong 5 ngày", ["07:30", "20:30"]),
        ("Uống 1 viên/lần, 2 lần/ngày, trước ăn, trong 5 ngày", ["06:30", "19:30"]),
        ("Uống 1 viên/lần, 2 lần/ngày, cách nhau 12 giờ, trong 35 ngày", ["07:00", "19:00"]),
        ("Uống 1 viên/lần, cách 8 giờ, trong 5 ngày", ["07:00", "15:00", "23:00"]),
        ("Uống 1 viên/lần, 3 lần/ngày, cách nhau 6 giờ, trong 5 ngày", ["07:00", "13:00", "19:00"]),
    ],
)
def test_what_a_text_says_becomes_clock_times(text: str, times: list[str]) -> None:
    made = plan(text, dispensed="1000")
    assert (made.state, clock(made), made.interval_hours) == ("active", times, None)


@pytest.mark.parametrize("text", ["Uống 1 viên khi sốt", "1 viên/lần * 3 lần/ngày khi đau"])
def test_on_fever_or_pain_has_no_schedule(text: str) -> None:
    made = plan(text)
    assert (made.state, made.times) == ("as-needed", ())


@pytest.mark.parametrize(
    "text",
    [
        "Uống sau ăn",
        "1 viên",
        "Uống theo chỉ dẫn",
        "1 viên/lần * 6 lần/ngày",
        "3 lần/ngày, sáng và tối 1 viên",
    ],
)
def test_what_leaves_the_time_open_is_asked(text: str) -> None:
    made = plan(text)
    assert (made.state, made.asks, made.times) == ("asks", "times", ())


@pytest.mark.parametrize(
    "text",
    [
        "Giảm dần liều: sáng 3 viên",
        "Sáng 1 viên, mỗi 3 ngày",
        "Sáng 1 viên, mỗi tháng một lần",
        "Uống cách 2 ngày 1 viên",
        "Tuần uống 2 lần, mỗi lần 1 viên",
        "Ngày 1-3: sáng 3 viên; ngày 5-6: sáng 2 viên",
        "Ngày đầu 2 viên, những ngày sau 1 viên",
        "1 viên/lần * 2 lần/ngày * 10 ngày, uống cách ngày",
    ],
)
def test_what_is_no_daily_dose_is_never_read_as_one(text: str) -> None:
    made = plan(text)
    assert (made.state, made.asks, made.times) == ("asks", "pharmacist", ())


def test_the_course_counts_doses_and_no_more_than_was_handed_out() -> None:
    text = "2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]"
    assert plan(text, dispensed="20").doses == 10
    assert plan(text, dispensed="9").doses == 4
    assert plan(text, dispensed="100").doses == 10
    assert plan("Sáng: 3 viên, Chiều: 2 viên, Tối: 1 viên [6 viên/ngày]", dispensed="11").doses == 5
    # Boxes are no tablets: the days alone say how long.
    assert plan(text, dispensed="1", unit="Hộp").doses == 10


def test_no_end_is_asked() -> None:
    made = plan("Uống 1 viên/lần, 2 lần/ngày", dispensed="1", unit="Hộp")
    assert (made.state, made.asks, clock(made)) == ("asks", "end", ["07:00", "20:00"])


def test_what_does_not_agree_is_flagged() -> None:
    assert plan("2 viên/lần * 2 lần/ngày * 5 ngày [6 viên/ngày]").checks == ("sum",)
    assert plan("2 viên/lần * 2 lần/ngày * 5 ngày", ordered="15").checks == ("quantity",)
    assert plan("2 viên/lần * 2 lần/ngày * 5 ngày", ordered="20").checks == ()


@given(st.text(max_size=200), st.decimals(min_value=0, max_value=1000, places=1))
def test_no_text_makes_a_time_out_of_nothing(text: str, dispensed: Decimal) -> None:
    dose = read_dose(text)
    made = plan_of(dose, ordered=None, dispensed=dispensed, unit="viên")
    if made.times or made.interval_hours:
        assert dose.slots or dose.times or dose.interval_hours or dose.clock or dose.stages
    assert (made.state == "active") == (made.doses is not None)


def test_the_next_time_is_the_next_wall_time() -> None:
    one = reminder()
    assert next_after(one, here(21, 6, 59)) == here(21, 7)
    assert next_after(one, here(21, 7)) == here(21, 20)
    assert next_after(one, here(21, 23)) == here(22, 7)
    assert next_after(one, here(19, 8)) == here(21, 7)
    assert next_after(reminder(doses=3, doses_due=3), here(21, 8)) is None
    assert next_after(reminder(times=[]), here(21, 8)) is None


def test_hours_that_do_not_divide_a_day_go_on_from_the_last_time() -> None:
    one = reminder(times=[], interval_hours=10)
    assert next_after(one, here(21, 8)) == here(22, 7)
    following = reminder(times=[], interval_hours=10, last_at=here(22, 7))
    assert next_after(following, here(22, 7)) == here(22, 17)
    assert next_after(following, here(23, 3)) == here(23, 13)


def test_a_zone_with_summer_time_keeps_the_wall_time() -> None:
    one = reminder(zone="Europe/Berlin", times=[time(2, 30), time(7)], starts_on=date(2026, 3, 1))
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    first = next_after(one, before)
    assert first is not None
    # 02:30 does not exist on 29 March 2026; the clock says 03:30 then.
    assert first == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert next_after(one, first) == datetime(2026, 3, 29, 5, tzinfo=UTC)
    in_winter = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert next_after(one, in_winter) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_after(one, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == datetime(2026, 10, 25, 6, tzinfo=UTC)


def test_a_morning_is_spread_and_one_person_is_not() -> None:
    due = here(21, 7)
    people = [UUID(int=n) for n in range(200)]
    found = {rings_at(person, due) for person in people}
    assert len(found) > 20
    assert all(0 <= (at - due).total_seconds() < DEFAULTS["spread_seconds"] for at in found)


def test_a_plan_has_one_id_for_each_dispensing() -> None:
    assert reminder_id_of(PERSON, RX, 1) == reminder_id_of(PERSON, RX, 1) != reminder_id_of(PERSON, RX, 2)
    assert reminder_id_of(UUID(int=9), RX, 1) != reminder_id_of(PERSON, RX, 1)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (here(21, 10), here(25, 9)),
        (here(25, 9, 1), here(26, 9)),
        (here(26, 8), here(26, 9)),
        (here(26, 9, 1), None),
        (here(28, 9), None),
    ],
)
def test_a_lapse_is_told_in_the_morning_before_the_last_day(now: datetime, told: datetime | None) -> None:
    assert lapse_told_at(date(2026, 11, 26), now) == told
