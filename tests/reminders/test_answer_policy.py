"""When an answer counts, and what a week comes to."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from reminders.answers.models import Act, Came, Given
from reminders.answers.policy import EARLY, Titled, answer_of, is_in_time, latest_of, weeks_from, weeks_of

ANNE, PILL, DROP = UUID(int=1), UUID(int=2), UUID(int=3)
ZONE = "Asia/Ho_Chi_Minh"
# A Wednesday, seven in the morning in Vietnam.
DUE = datetime(2026, 11, 18, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def given(act: Act, at: datetime, minutes: int | None = None) -> Given:
    return Given(reminder_id=PILL, due_at=DUE, act=act, at=at, minutes=minutes)


@pytest.mark.parametrize("wrong_by", [timedelta(), 3 * HOUR, -400 * DAY])
def test_a_phone_s_clock_that_is_wrong_is_put_right_by_what_it_says_of_now(wrong_by: timedelta) -> None:
    now, at = DUE + 2 * HOUR, DUE + 5 * MINUTE
    assert answer_of(ANNE, given("taken", at + wrong_by), now + wrong_by, now).at == at


@pytest.mark.parametrize(("at", "counts_as"), [(DUE + 9 * DAY, DUE + HOUR), (DUE - 9 * DAY, DUE - EARLY)])
def test_no_answer_is_given_in_the_future_or_long_before_its_time(at: datetime, counts_as: datetime) -> None:
    assert answer_of(ANNE, given("taken", at), DUE + HOUR, DUE + HOUR).at == counts_as


@pytest.mark.parametrize("said", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("sent", [datetime.min.replace(tzinfo=UTC), DUE, datetime.max.replace(tzinfo=UTC)])
def test_a_clock_at_the_end_of_time_is_only_wrong(said: datetime, sent: datetime) -> None:
    assert DUE - EARLY <= answer_of(ANNE, given("later", said), sent, DUE + HOUR).at <= DUE + HOUR


def test_later_rings_again_so_many_minutes_after_it_was_said() -> None:
    at = DUE + MINUTE
    assert answer_of(ANNE, given("later", at, 20), at, at).rings_at == at + 20 * MINUTE
    assert answer_of(ANNE, given("later", at), at, at).rings_at == at + 15 * MINUTE
    assert answer_of(ANNE, given("taken", at, 20), at, at).rings_at is None


def test_of_two_answers_to_one_time_the_later_one_counts() -> None:
    now = DUE + HOUR
    first, second = (answer_of(ANNE, given("taken", DUE + n * MINUTE), now, now) for n in (1, 2))
    assert latest_of([second, first]) == latest_of([first, second]) == [second]


@pytest.mark.parametrize(
    ("after", "is_it"), [(-7 * HOUR, False), (-HOUR, True), (89 * DAY, True), (91 * DAY, False)]
)
def test_a_time_is_answered_shortly_before_it_and_for_a_season_after(after: timedelta, is_it: bool) -> None:
    assert is_in_time(DUE, DUE + after) is is_it


def test_weeks_begin_on_a_monday_of_the_person_s_zone_and_count_every_time_once() -> None:
    titles = {PILL: Titled("Zinzol 5 mg", ZONE), DROP: Titled("Alfazol", ZONE)}
    sunday = datetime(2026, 11, 15, 16, 59, tzinfo=UTC)
    times = [
        Came(ANNE, PILL, sunday, "taken"),
        Came(ANNE, PILL, sunday + MINUTE, "skipped"),
        Came(ANNE, PILL, DUE, "taken"),
        Came(ANNE, PILL, DUE + HOUR, "later"),
        Came(ANNE, DROP, DUE, None),
        Came(ANNE, UUID(int=9), DUE, "taken"),
    ]
    this, last = weeks_of(times, titles, DUE + 3 * HOUR)
    assert (this.starts_on, last.starts_on) == (date(2026, 11, 16), date(2026, 11, 9))
    assert [(one.title, one.due, one.taken, one.skipped, one.unanswered) for one in this.medicines] == [
        ("Alfazol", 1, 0, 0, 1),
        ("Zinzol 5 mg", 3, 1, 1, 1),
    ]
    assert (last.medicines[0].due, last.medicines[0].taken) == (1, 1)


def test_a_time_that_can_still_be_answered_is_not_counted() -> None:
    titles = {PILL: Titled("Zinzol 5 mg", ZONE)}
    for act, minutes, weeks in ((None, 59, 0), (None, 60, 1), ("later", 59, 0), ("taken", 1, 1)):
        found = weeks_of([Came(ANNE, PILL, DUE, act)], titles, DUE + minutes * MINUTE)
        assert len(found) == weeks


def test_so_many_weeks_are_counted_from_a_monday_on() -> None:
    assert weeks_from(DUE, 1) == datetime(2026, 11, 15, 17, tzinfo=UTC)
    assert weeks_from(DUE, 4) == datetime(2026, 10, 25, 17, tzinfo=UTC)
