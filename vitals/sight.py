"""What a decision lets out of measurements: the one filter of every read of them.

Measurements carry no sensitivity label, so no label withholds them; what decides is the category, the dates
of the grant, and whose rows they are (security.md S10).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from kernel.access import Access, RecordType
from kernel.clock import end_of_day, start_of_day

WEARABLE: Final[RecordType] = "Observation.wearable"
# Sources are numbered person by person (at most vitals/intake/sources.py MOST of each): what is shown of a
# merged person's names its place among `people` too.
_OF_ONE: Final = 1_000
_ALWAYS: Final = datetime(1900, 1, 1, tzinfo=UTC)
_EVER: Final = datetime(2200, 1, 1, tzinfo=UTC)


class Sight(NamedTuple):
    """Whose rows and of which times: [since, until). people: the person, then who was merged into it."""

    people: tuple[UUID, ...]
    since: datetime
    until: datetime

    def within(self, since: datetime | None, until: datetime | None) -> "Sight":
        """The same, no wider than what was asked for; nothing where the two do not meet."""
        first = max(self.since, since or _ALWAYS)
        return Sight(self.people, first, max(first, min(self.until, until or _EVER)))


def shown_source(place: int, source_id: int) -> int:
    """The number by which a source of the person at this place of `people` is shown and named."""
    return place * _OF_ONE + source_id


def source_of(people: Sequence[UUID], number: int) -> tuple[UUID, int] | None:
    """Whose source it is, and which of that person's; None: nobody's."""
    place, source_id = divmod(number, _OF_ONE)
    return (people[place], source_id) if number > 0 and place < len(people) else None


def sight_of(access: Access) -> Sight | None:
    """None: this decision shows no measurement. A grant's days are days in Vietnam, both included."""
    if access.types is not None and WEARABLE not in access.types:
        return None
    return Sight(
        people=(access.patient_id, *sorted(access.origins)),
        since=start_of_day(access.since) if access.since else _ALWAYS,
        until=end_of_day(access.until) if access.until else _EVER,
    )
