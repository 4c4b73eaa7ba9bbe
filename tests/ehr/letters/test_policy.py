"""When a letter counts, is used and has expired, as a table."""

from datetime import date, timedelta

import pytest

from ehr.letters.models import BookedPlace, Kept, LetterKind, Use, Validity
from ehr.letters.policy import last_day, state_of, used
from ehr.paper_proofs.models import Facts, LetterState
from kernel.ids import uuid7
from tests.support.clock import START

TODAY = date(2026, 11, 21)
DAY = timedelta(days=1)
PLACE = BookedPlace(appointment_id=uuid7(START), day=TODAY + 3 * DAY)
FACTS = Facts(
    kind="referral",
    title="Phiếu",
    numbers=[],
    date=None,
    period_start=None,
    period_end=None,
    valid_until=None,
    author=None,
    lines=[],
    facility_id=None,
)


def letter(kind: LetterKind, valid_until: date | None, visited_on: date | None) -> Kept:
    return Kept(
        id="x",
        kind=kind,
        facts=FACTS,
        lines=[],
        issued_by=None,
        about=None,
        due_at=None,
        valid_until=valid_until,
        valid_by=None,
        visited_on=visited_on,
        referral=None,
        receiver=None,
    )


@pytest.mark.parametrize("kind", ["referral", "revisit"])
@pytest.mark.parametrize(
    ("valid_until", "visited_on", "place", "state", "use"),
    [
        (None, None, None, "valid", None),
        (TODAY, None, None, "valid", None),
        (TODAY - DAY, None, None, "expired", None),
        (TODAY, TODAY, None, "used", "visited"),
        (None, TODAY - 9 * DAY, None, "used", "visited"),
        (TODAY, None, PLACE, "used", "booked"),
        (TODAY - DAY, None, PLACE, "used", "booked"),
        (TODAY, TODAY, PLACE, "used", "visited"),
    ],
)
def test_a_letter_counts_until_it_was_used_or_its_last_day_is_over(
    kind: LetterKind,
    valid_until: date | None,
    visited_on: date | None,
    place: BookedPlace | None,
    state: LetterState,
    use: Use | None,
) -> None:
    kept = letter(kind, valid_until, visited_on)
    assert state_of(kept, place, TODAY) == state
    found = used(kept, place)
    assert (found[0] if found else None) == use


def test_who_comes_after_the_last_day_used_a_referral_and_no_revisit() -> None:
    """The place that a referral goes to says itself whom it saw by it; a later visit to the same place is no
    answer to an appointment."""
    late = TODAY - DAY, TODAY
    assert state_of(letter("referral", *late), None, TODAY) == "used"
    assert state_of(letter("revisit", *late), None, TODAY) == "expired"


@pytest.mark.parametrize(
    ("kind", "said", "counted_from", "told"),
    [
        ("referral", None, TODAY, (TODAY + 10 * DAY, "setting")),
        ("revisit", None, TODAY, (TODAY + 5 * DAY, "setting")),
        ("referral", TODAY + DAY, TODAY, (TODAY + DAY, "letter")),
        ("revisit", None, None, (None, None)),
    ],
)
def test_the_letters_own_day_goes_before_the_setting(
    kind: LetterKind, said: date | None, counted_from: date | None, told: tuple[date | None, str | None]
) -> None:
    assert last_day(kind, said, counted_from, Validity(referral_days=10, revisit_days=5)) == told
    assert last_day(kind, said, counted_from, Validity()) == ((said, "letter") if said else (None, None))
