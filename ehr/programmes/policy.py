"""Who of the family may learn of an enrolment: pure."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from typing import Final

from ehr.pregnancy.dating import date_of, first_day
from ehr.programmes.models import EnrolmentBody

# consent.md §7: who is older controls the own book. From below, a pregnancy can be what a child has to keep
# from a guardian (security.md S23).
YOUTH_AGE: Final = 15
ADULT_AGE: Final = 18


def security_codes(said: Sequence[EnrolmentBody]) -> list[str]:
    """v3-ActCode labels of all that is written of an enrolment, as its facility said it the first time and
    since. SDV: no relative sees it at any age; SEX: a youth's guardian sees it only where the youth said so.

    What counts is the age when the pregnancy began: a birthday takes no label away, and neither does a later
    word of the facility. A birth date that leaves the age open counts as young as it can be. Ours: no text
    asks for it.
    """
    codes: list[str] = []
    age = min(_age_of(body) for body in said)
    if said[-1].kept_from_family or age < YOUTH_AGE:
        codes.append("SDV")
    if age < ADULT_AGE:
        codes.append("SEX")
    return codes


def _age_of(body: EnrolmentBody) -> int:
    dating = date_of(body.pregnancy) if body.pregnancy else None
    if dating is None:
        return ADULT_AGE
    return _youngest(body.person.birth_date, min(body.enrolled_on, first_day(dating.due_on)))


def _youngest(birth_date: str, on: date) -> int:
    parts = [int(part) for part in birth_date.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else monthrange(year, month)[1]
    return on.year - year - ((on.month, on.day) < (month, day))
