"""Who may be too young for something, to the day."""

from datetime import date

import pytest

from identity.policy import is_below


@pytest.mark.parametrize(
    ("born", "last", "first"),
    [
        ("2020-12-01", date(2026, 11, 30), date(2026, 12, 1)),
        ("2020-02-29", date(2026, 2, 28), date(2026, 3, 1)),
        ("2020-02", date(2026, 2, 28), date(2026, 3, 1)),
        ("2020", date(2026, 12, 30), date(2026, 12, 31)),
    ],
)
def test_an_age_is_reached_on_the_latest_day_that_the_date_allows(born: str, last: date, first: date) -> None:
    assert is_below(born, 6, last)
    assert not is_below(born, 6, first)
