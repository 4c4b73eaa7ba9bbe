"""What is told of each kind of reminder, and until when. The lengths are ours: no rule names any.

Whether the cause of a reminder still stands (an appointment that was moved, a dose that was given) is asked
where it rings (occurrences.py); here is what holds for every reminder of a kind.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec import Struct

from notifications.models import NotificationType
from reminders.policy import RINGS_WITHIN

_HALF_DAY: Final = timedelta(hours=12)
_DAYS: Final = timedelta(days=3)


class KindRule(Struct, frozen=True, kw_only=True):
    """type_: what is said when a time comes. rings_within: how late it is still told; a time that a worker
    meets later than that is counted `late`. late_told: the last of such times is told once all the same,
    for its cause stays. repeats: an unanswered time is told once more. is_family: a child's guardians hear
    of it too, where nothing is kept from the family (security.md S23)."""

    type_: NotificationType
    rings_within: timedelta
    late_told: bool
    repeats: bool
    is_family: bool


KINDS: Final[Mapping[str, KindRule]] = {
    "medication": KindRule(
        type_="medicine-due", rings_within=RINGS_WITHIN, late_told=False, repeats=True, is_family=True
    ),
    "measurement": KindRule(
        type_="measurement-due", rings_within=RINGS_WITHIN, late_told=False, repeats=False, is_family=True
    ),
    "revisit": KindRule(
        type_="revisit-due", rings_within=_HALF_DAY, late_told=True, repeats=False, is_family=True
    ),
    "vaccination": KindRule(
        type_="vaccination-due", rings_within=_HALF_DAY, late_told=True, repeats=False, is_family=True
    ),
    "exam": KindRule(type_="exam-due", rings_within=_DAYS, late_told=True, repeats=False, is_family=True),
    "card": KindRule(
        type_="card-expiring", rings_within=_DAYS, late_told=True, repeats=False, is_family=True
    ),
    "nutrition": KindRule(
        type_="nutrition-tip", rings_within=_HALF_DAY, late_told=False, repeats=False, is_family=False
    ),
    "custom": KindRule(
        type_="custom-reminder", rings_within=RINGS_WITHIN, late_told=True, repeats=False, is_family=True
    ),
}
