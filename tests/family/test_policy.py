"""Bands over any birth date and day: certain ages only, and never two at once."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from family.models import SCOPES, FamilyLink
from family.policy import NEVER, band, comes_of_age, is_of_age, latest_birthday, needs_assent, part_of
from kernel.access import ALL_LABELS, Label
from kernel.clock import local_day

DAYS = st.dates(date(1930, 1, 1), date(2060, 12, 31))
CUTS = st.sampled_from([4, 7, 10])
ORDER = ("child", "schoolchild", "youth", "adult")


@given(DAYS, CUTS, DAYS)
def test_a_band_never_comes_before_the_whole_date_says_so_and_never_goes_back(
    born: date, cut: int, today: date
) -> None:
    partial = born.isoformat()[:cut]
    assert ORDER.index(band(partial, today)) <= ORDER.index(band(born.isoformat(), today))
    later = today + timedelta(days=1)
    assert ORDER.index(band(partial, today)) <= ORDER.index(band(partial, later))


@given(DAYS, CUTS, st.sampled_from([6, 7, 15, 18]))
def test_an_age_begins_at_midnight_of_its_day_and_not_a_second_before(born: date, cut: int, age: int) -> None:
    text = born.isoformat()[:cut]
    day, instant = latest_birthday(text, age), comes_of_age(text, age)
    assert day is not None
    assert instant is not None
    assert is_of_age(text, age, day)
    assert not is_of_age(text, age, day - timedelta(days=1))
    assert local_day(instant) == day
    assert local_day(instant - timedelta(seconds=1)) == day - timedelta(days=1)


@given(DAYS, CUTS, DAYS)
def test_where_a_date_leaves_the_seventh_birthday_open_the_childs_word_is_asked_for(
    born: date, cut: int, today: date
) -> None:
    if needs_assent(born.isoformat(), today):
        assert needs_assent(born.isoformat()[:cut], today)


@given(
    st.sampled_from(ORDER),
    st.sampled_from(["guardian", "proxy"]),
    st.frozensets(st.sampled_from(sorted(SCOPES))),
)
def test_no_link_ever_shows_what_the_family_never_sees_and_a_dispute_only_takes_away(
    age: str, relation: str, scopes: frozenset[str]
) -> None:
    for ticked in (Label.NONE, ALL_LABELS):
        link = FamilyLink(
            relation=relation,  # type: ignore[arg-type]
            band=age,  # type: ignore[arg-type]
            birth_date=None,
            scopes=scopes,  # type: ignore[arg-type]
            ticked=ticked,
        )
        part = part_of(link)
        if part is None:
            continue
        assert part.withheld & NEVER == NEVER
        disputed = part_of(
            FamilyLink(
                relation=link.relation,
                band=link.band,
                birth_date=None,
                scopes=link.scopes,
                ticked=ticked,
                disputed=True,
            )
        )
        assert disputed is not None
        assert disputed.actions <= part.actions
        assert not {"answer-request", "guard-grants", "identify", "issue-certificate"} & disputed.actions
