"""For all inputs: granted ⊆ requested ∩ choice ∩ tier cap ∩ role cap ∩ sensitivity default."""

from datetime import date, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from consent.models import Scope, Tier
from consent.policy import (
    NARROW_CAP,
    TIER_CAPS,
    cap_for,
    exceeds,
    granted_scope,
    is_empty,
)
from consent.role_caps import cap_of_role, role_cap
from family.policy import YOUTH_AGE, is_of_age
from kernel.access import ALL_LABELS, RECORD_TYPES, Label, Role
from kernel.clock import add_months

TODAY = date(2026, 11, 21)
days = st.none() | st.dates(date(1950, 1, 1), date(2030, 12, 31))
scopes = st.builds(
    Scope,
    types=st.frozensets(st.sampled_from(sorted(RECORD_TYPES))),
    since=days,
    until=days,
    duration_seconds=st.integers(60, 90 * 86400),
    labels=st.integers(0, int(ALL_LABELS)).map(Label),
)
tiers = st.sampled_from(get_args(Tier))
roles = st.sampled_from(get_args(Role)) | st.none()


def covers(outer: Scope, inner: Scope) -> bool:
    """Whether everything inside `inner` also lies inside `outer`."""
    return (
        inner.types <= outer.types
        and inner.duration_seconds <= outer.duration_seconds
        and inner.labels & ~outer.labels == Label.NONE
        and (outer.since is None or (inner.since is not None and inner.since >= outer.since))
        and (outer.until is None or (inner.until is not None and inner.until <= outer.until))
    )


@given(scopes, scopes, tiers, st.booleans(), st.booleans(), roles, st.dates(date(2000, 1, 1), TODAY))
def test_what_is_granted_lies_inside_every_bound(
    requested: Scope,
    choice: Scope,
    tier: Tier,
    presence: bool,
    probation: bool,
    role: Role | None,
    today: date,
) -> None:
    cap = cap_for(tier, presence=presence, probation=probation)
    granted = granted_scope(requested, choice, cap, role, today)
    assert covers(requested, granted)
    assert covers(choice, granted)
    assert granted.types <= role_cap(role)
    assert granted.duration_seconds <= (cap_of_role(role).duration_seconds or 90 * 86400)
    assert granted.duration_seconds <= min(cap.duration_seconds, TIER_CAPS[tier].duration_seconds)
    assert granted.labels & ~cap.labels == Label.NONE
    assert granted.labels & ~choice.labels == Label.NONE
    if cap.history_months is not None:
        assert granted.since is not None
        assert granted.since >= add_months(today, -cap.history_months)


@given(scopes, scopes, tiers, st.booleans(), roles)
def test_s6_without_presence_no_choice_widens_the_caps(
    requested: Scope, choice: Scope, tier: Tier, probation: bool, role: Role | None
) -> None:
    cap = cap_for(tier, presence=False, probation=probation)
    granted = granted_scope(requested, choice, cap, role, TODAY)
    assert granted.duration_seconds <= 86400
    assert granted.labels == Label.NONE
    assert granted.since is not None
    assert granted.since >= date(2025, 11, 21)


@given(scopes, scopes)
def test_a_choice_inside_the_request_is_never_called_wider(requested: Scope, choice: Scope) -> None:
    inside = granted_scope(requested, choice, TIER_CAPS["A"], "doctor", TODAY)
    assert exceeds(inside, requested) is None


@given(scopes, scopes)
def test_a_choice_that_passes_lies_inside_the_request(requested: Scope, choice: Scope) -> None:
    if exceeds(choice, requested) is None:
        assert covers(
            Scope(
                types=requested.types,
                since=requested.since,
                until=requested.until,
                duration_seconds=requested.duration_seconds,
                labels=ALL_LABELS,
            ),
            choice,
        )


@given(scopes)
def test_an_empty_scope_is_called_empty(scope: Scope) -> None:
    crossed = scope.since is not None and scope.until is not None and scope.since > scope.until
    assert is_empty(scope) == (not scope.types or crossed)


@given(st.dates(date(1990, 1, 1), date(2030, 12, 31)), st.integers(0, 600))
def test_going_back_months_never_goes_forward(day: date, months: int) -> None:
    back = add_months(day, -months)
    assert (day.year * 12 + day.month) - (back.year * 12 + back.month) == months
    assert back.day <= day.day


@given(st.dates(date(1990, 1, 1), date(2020, 12, 31)), st.integers(0, 12000))
def test_less_precision_never_makes_somebody_older(birth: date, later: int) -> None:
    today = birth + timedelta(days=later)
    whole = is_of_age(birth.isoformat(), YOUTH_AGE, today)
    for partial in (birth.isoformat()[:7], birth.isoformat()[:4]):
        assert whole or not is_of_age(partial, YOUTH_AGE, today)


def test_born_on_29_february_turns_15_on_1_march() -> None:
    assert not is_of_age("2012-02-29", YOUTH_AGE, date(2027, 2, 28))
    assert is_of_age("2012-02-29", YOUTH_AGE, date(2027, 3, 1))


def test_the_narrow_cap_is_the_narrowest() -> None:
    for cap in TIER_CAPS.values():
        assert NARROW_CAP.duration_seconds <= cap.duration_seconds
        assert NARROW_CAP.labels & ~cap.labels == Label.NONE
