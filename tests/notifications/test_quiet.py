"""What waits for the end of quiet hours, in the person's own zone, and what never does."""

from datetime import UTC, datetime, time, timedelta
from typing import get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notifications.groups import ALWAYS_TOLD, ESCALATES, GROUP_OF, MUTABLE, is_digested, waits
from notifications.models import NotificationType
from notifications.policy import COLLAPSE
from notifications.preferences import DEFAULTS, Preferences
from notifications.quiet import MORNING_SPREAD_SECONDS, leaving, quiet_until

PERSON = UUID(int=7)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = datetime(2026, 11, 21, 23, 30, tzinfo=HANOI).astimezone(UTC)
MORNING = datetime(2026, 11, 22, 6, 0, tzinfo=HANOI)
LATER = NIGHT + timedelta(days=7)
AWAKE = replace(DEFAULTS, digest=False)


def at(text: str, zone: str = "Asia/Ho_Chi_Minh") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("instant", "end"),
    [
        ("2026-11-21T21:59:59", None),
        ("2026-11-21T22:00:00", "2026-11-22T06:00:00"),
        ("2026-11-21T23:59:59", "2026-11-22T06:00:00"),
        ("2026-11-22T00:00:00", "2026-11-22T06:00:00"),
        ("2026-11-22T05:59:59", "2026-11-22T06:00:00"),
        ("2026-11-22T06:00:00", None),
    ],
)
def test_a_window_over_midnight_wraps(instant: str, end: str | None) -> None:
    assert quiet_until(DEFAULTS, at(instant)) == (None if end is None else at(end))


@pytest.mark.parametrize(
    ("instant", "end"),
    [("12:59", None), ("13:00", "14:30"), ("14:29", "14:30"), ("14:30", None), ("01:00", None)],
)
def test_a_window_within_a_day(instant: str, end: str | None) -> None:
    nap = replace(DEFAULTS, quiet_from=time(13), quiet_until=time(14, 30))
    wanted = None if end is None else at(f"2026-11-21T{end}")
    assert quiet_until(nap, at(f"2026-11-21T{instant}")) == wanted


def test_a_traveller_sleeps_where_the_traveller_is() -> None:
    """23:30 in Hà Nội is half past five in the evening in Paris."""
    assert quiet_until(replace(DEFAULTS, zone="Europe/Paris"), NIGHT) is None
    assert quiet_until(DEFAULTS, NIGHT) == MORNING


@pytest.mark.parametrize(
    ("instant", "until", "end"),
    [
        # The clock jumps from two to three: half past two never comes.
        ("2026-03-28T23:30:00+01:00", time(2, 30), "2026-03-29T03:30:00+02:00"),
        # The hour from two to three comes twice; who asks in the second one waits for its half.
        ("2026-10-25T02:10:00+02:00", time(2, 30), "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:10:00+01:00", time(2, 30), "2026-10-25T02:30:00+01:00"),
    ],
)
def test_the_nights_in_which_clocks_change(instant: str, until: time, end: str) -> None:
    away = replace(DEFAULTS, zone="Europe/Paris", quiet_until=until)
    assert quiet_until(away, datetime.fromisoformat(instant)) == datetime.fromisoformat(end)


@given(
    st.floats(0, 365).map(lambda days: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"]),
)
def test_quiet_hours_end_later_and_within_a_day(
    instant: datetime, begins: time, ends: time, zone: str
) -> None:
    end = quiet_until(replace(DEFAULTS, zone=zone, quiet_from=begins, quiet_until=ends), instant)
    if end is not None:
        assert instant < end <= instant + timedelta(hours=25)


def test_a_medicine_rings_in_the_night_and_news_wait_for_the_morning() -> None:
    assert leaving("medicine-due", AWAKE, PERSON, NIGHT, LATER, NIGHT).at == NIGHT
    news = leaving("result-released", AWAKE, PERSON, NIGHT, LATER, NIGHT).at
    assert news is not None
    assert MORNING <= news < MORNING + timedelta(seconds=MORNING_SPREAD_SECONDS)


def test_news_of_a_night_are_one_push_in_the_morning_where_that_is_wanted() -> None:
    leave = leaving("result-released", DEFAULTS, PERSON, NIGHT, LATER, NIGHT)
    assert (leave.at, leave.digest_at) == (None, MORNING)
    assert leaving("result-released", DEFAULTS, PERSON, MORNING.astimezone(UTC), LATER, NIGHT).at == MORNING


def test_what_would_be_over_by_the_morning_rings_never() -> None:
    leave = leaving("revisit-due", AWAKE, PERSON, NIGHT, NIGHT + timedelta(hours=1), NIGHT)
    assert (leave.at, leave.digest_at) == (None, None)


def _everything_off() -> Preferences:
    return replace(DEFAULTS, quiet_from=time(0), quiet_until=time(23, 59), muted=frozenset(MUTABLE))


def test_requests_codes_security_and_emergencies_are_never_silenced() -> None:
    told = {t for t in get_args(NotificationType) if COLLAPSE[t] in ("consent", "alert")}
    told |= {"emergency-read", "emergency-disputed", "emergency-reviewed"}
    for type_ in told - {"consent-code", "sign-in-code"}:
        assert leaving(type_, _everything_off(), PERSON, NIGHT, LATER, NIGHT).at == NIGHT, type_
    assert told <= ALWAYS_TOLD
    assert not told & set(GROUP_OF)
    assert set(ESCALATES) <= told


def test_every_type_that_waits_is_news_or_a_reminder_and_only_news_are_digested() -> None:
    for type_ in get_args(NotificationType):
        if waits(type_):
            assert COLLAPSE[type_] in ("info", "reminder")
        assert not is_digested(type_) or COLLAPSE[type_] == "info"
    assert set(GROUP_OF) <= set(get_args(NotificationType))
