"""Pure decisions: what is searched for, whether a facility is open."""

import re
from datetime import datetime
from typing import Final

from kernel.clock import VIETNAM
from kernel.text import fold
from visits.directory.models import Hours, Opening

# Shorter words meet most names.
LETTERS_MIN: Final = 3
WORDS_MAX: Final = 12
_WORD: Final = re.compile(r"[0-9a-z]+")


def words_of(text: str) -> str | None:
    """The words of a search as PostgreSQL's tsquery; each may be the beginning of one. None: too short."""
    words = _WORD.findall(fold(text))[:WORDS_MAX]
    if sum(map(len, words)) < LETTERS_MIN:
        return None
    return " & ".join(f"{word}:*" for word in words)


def is_open(hours: Hours | None, now: datetime) -> bool | None:
    """Whether the facility receives people now; None where it does not say its hours."""
    if hours is None or not hours.openings:
        return None
    local = now.astimezone(VIETNAM)
    today, minute = local.isoweekday(), local.hour * 60 + local.minute
    yesterday = (today - 2) % 7 + 1
    return any(
        (today in one.days and _holds(one, minute))
        or (yesterday in one.days and _holds(one, minute + 24 * 60))
        for one in hours.openings
    )


def _holds(one: Opening, minute: int) -> bool:
    """Hours that close before they open go on after midnight."""
    opens, closes = _minutes(one.opens), _minutes(one.closes)
    return opens <= minute < (closes if closes > opens else closes + 24 * 60)


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
