"""Opening hours, and the words of a search."""

from datetime import UTC, datetime

import pytest

from visits.directory.models import Hours, Opening, Point
from visits.directory.policy import is_open, words_of
from visits.directory.spots import metres

WEEK = [1, 2, 3, 4, 5]
SHOP = Hours(
    openings=[
        Opening(days=WEEK, opens="07:00", closes="11:30"),
        Opening(days=WEEK, opens="13:00", closes="16:30"),
        Opening(days=[6], opens="22:00", closes="02:00"),
        Opening(days=[7], opens="06:00", closes="24:00"),
    ]
)


def vietnam(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+07:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "open_then"),
    [
        ("2026-11-20T06:59", False),  # a Friday
        ("2026-11-20T07:00", True),
        ("2026-11-20T11:29", True),
        ("2026-11-20T11:30", False),
        ("2026-11-20T16:29", True),
        ("2026-11-21T21:59", False),
        ("2026-11-21T22:00", True),
        ("2026-11-22T01:59", True),  # the Saturday's hours go on after midnight
        ("2026-11-22T02:00", False),
        ("2026-11-22T23:59", True),
        ("2026-11-23T00:00", False),
    ],
)
def test_hours_are_vietnam_s_and_may_pass_midnight(at: str, open_then: bool) -> None:
    assert is_open(SHOP, vietnam(at)) is open_then


def test_who_says_no_hours_is_not_said_to_be_closed() -> None:
    assert is_open(None, vietnam("2026-11-20T08:00")) is None
    assert is_open(Hours(note="Gọi trước"), vietnam("2026-11-20T08:00")) is None


def test_words_are_folded_and_only_words() -> None:
    assert words_of("Trạm  Y-tế (xã)") == "tram:* & y:* & te:* & xa:*"
    assert words_of("Đà Lạt") == words_of("ĐÀ LẠT") == "da:* & lat:*"
    assert words_of("ab") is None
    assert words_of("' | !") is None


def test_distances_are_those_of_the_globe() -> None:
    """Hà Nội to Hồ Chí Minh City: about 1,140 km as the crow flies."""
    north, south = Point(latitude=21.0285, longitude=105.8542), Point(latitude=10.7769, longitude=106.7009)
    assert 1_138_000 < metres(north, south) < 1_145_000
    assert metres(north, north) == 0
