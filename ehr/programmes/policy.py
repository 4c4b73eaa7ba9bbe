"""Who of the family may learn of an enrolment: pure."""

from calendar import monthrange
from datetime import date
from typing import Final

from ehr.programmes.models import EnrolmentBody

# consent.md §7: who is older controls the own book. From below, a pregnancy can be what a child has to keep
# from a guardian (security.md S23).
YOUTH_AGE: Final = 15
ADULT_AGE: Final = 18


def security_codes(body: EnrolmentBody, today: date) -> list[str]:
    """v3-ActCode labels of all that is written. SDV: no relative sees it at any age; SEX: a youth's guardian
    sees it only where the youth said so.

    A birth date that leaves the age open counts as young as it can be. Ours: no text asks for it.
    """
    codes: list[str] = []
    age = _youngest(body.person.birth_date, today) if body.programme == "pregnancy" else ADULT_AGE
    if body.kept_from_family or age < YOUTH_AGE:
        codes.append("SDV")
    if age < ADULT_AGE:
        codes.append("SEX")
    return codes


def _youngest(birth_date: str, today: date) -> int:
    parts = [int(part) for part in birth_date.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else monthrange(year, month)[1]
    return today.year - year - ((today.month, today.day) < (month, day))
