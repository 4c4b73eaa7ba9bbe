"""What of a person is shown before another fact is known, and whether a fact agrees. Pure."""

from datetime import date

from identity.models import PersonCard
from kernel.text import fold

INITIALS_MAX = 6
_DAY = len("YYYY-MM-DD")


def initials(name: str | None) -> str | None:
    """'Nguyễn Văn An' → 'N.V.A.': the first letter of each word."""
    words = (name or "").split()[:INITIALS_MAX]
    return "".join(f"{word[0].upper()}." for word in words) or None


def agrees(card: PersonCard, name: str | None, birth_date: date | None) -> bool:
    """Exactly one fact, the whole of what the book knows: a year is none, it was shown already."""
    if (name is None) == (birth_date is None):
        return False
    if birth_date is not None:
        known = card.birth_date or ""
        return len(known) == _DAY and known == birth_date.isoformat()
    folded = fold(name or "")
    # One word is no whole name.
    return len(folded.split()) > 1 and folded == fold(card.name or "")
