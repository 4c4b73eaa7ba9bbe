"""FHIR dates: partial dates keep their precision and are never completed to 1 January."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec import Struct

from ehr.models import EffPrecision
from kernel.clock import VIETNAM

# Stands in the sort column of an event without any date; never shown.
UNDATED = datetime(1000, 1, 1, tzinfo=UTC)
OPEN_END = datetime(9999, 1, 1, tzinfo=UTC)
_JUST_BEFORE = timedelta(microseconds=1)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?\Z")


class Moment(Struct, frozen=True):
    """A FHIR date with the first and the last instant it may mean."""

    text: str
    first: datetime
    last: datetime
    precision: EffPrecision


@lru_cache(maxsize=4096)
def moment(text: str) -> Moment:
    """Read 'YYYY', 'YYYY-MM', 'YYYY-MM-DD' (a day in Vietnam) or an instant.

    Raises msgspec.ValidationError for anything else, impossible dates among it.
    """
    try:
        found = _PARTIAL.match(text)
        if found is None:
            instant = _instant(text)
            return Moment(text, instant, instant, "instant")
        return _partial(text, *found.groups())
    except (ValueError, OverflowError):
        raise msgspec.ValidationError("not a FHIR date") from None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if "T" not in text or not 1000 < instant.year < 9999:
        raise ValueError
    # FHIR demands a zone beside a time; a file that forgot it was written here.
    return instant.replace(tzinfo=VIETNAM) if instant.tzinfo is None else instant


def _partial(text: str, year: str, month: str | None, day: str | None) -> Moment:
    first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=VIETNAM)
    if not 1000 < first.year < 9999:
        raise ValueError
    if day:
        return Moment(text, first, first + timedelta(days=1) - _JUST_BEFORE, "day")
    if month:
        following = (first + timedelta(days=32)).replace(day=1)
        return Moment(text, first, following - _JUST_BEFORE, "month")
    return Moment(text, first, first.replace(year=first.year + 1) - _JUST_BEFORE, "year")
