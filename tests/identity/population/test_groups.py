"""Groups by age on calendars, and by what lists say."""

from datetime import date

import pytest

from identity.population.groups import age_group, groups, groups_of, listed_group, title_of
from identity.population.models import Listing

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("born", "today", "group"),
    [
        ("2020-11-23", TODAY, None),
        ("2020-11-24", TODAY, "under-6"),
        ("1966-11-23", TODAY, "from-60"),
        ("1966-11-24", TODAY, None),
        ("2020-02-29", date(2026, 2, 28), "under-6"),
        ("2020-02-29", date(2026, 3, 1), None),
        ("1966", TODAY, "from-60"),
        (None, TODAY, None),
    ],
)
def test_an_age_group_begins_on_the_birthday(born: str | None, today: date, group: str | None) -> None:
    assert age_group(born, today) == group


def test_age_decides_before_an_occupation_and_policy_groups_stand_beside() -> None:
    said = [Listing(groups=("pupils", "poor-household")), Listing(groups=("merit",))]
    assert groups_of("2015-01-01", said, TODAY) == ("pupils", "poor-household", "merit")
    assert groups_of("1950-01-01", said, TODAY) == ("from-60", "poor-household", "merit")
    assert groups_of(None, [], TODAY) == ()


def test_a_group_is_known_by_key_or_title_in_any_spelling_and_none_is_made_up() -> None:
    assert listed_group("NGUOI LAO DONG") == "workers"
    assert listed_group("Hộ nghèo") == "poor-household"
    assert listed_group("hộ giàu") is None
    assert set(groups().card_letters.values()) <= {one.key for one in groups().listed}
    assert not groups().confirmed
    assert title_of("under-6") == "Dưới 6 tuổi"
