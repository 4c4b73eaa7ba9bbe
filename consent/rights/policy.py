"""Terms of the law for requests about one's data (Law 91/2025, Decree 356/2025; vietnam.md §9). Pure."""

from datetime import datetime, timedelta
from typing import Final

from consent.rights.models import RightsKind
from ehr.cases.workdays import Moved, Term, acknowledge_by, answer_by

# 10 days for a copy, 20 for an erasure, 15 for what a withdrawal asks for.
TERMS: Final[dict[RightsKind, Term]] = {
    "access": Term(10, "calendar"),
    "erasure": Term(20, "calendar"),
    "closing": Term(15, "calendar"),
    "restriction": Term(15, "calendar"),
    "objection": Term(15, "calendar"),
}
EXTENSION: Final = Term(15, "calendar")
# Long enough that the owner of a stolen phone hears of it and cancels; the law's term is far off then.
ERASURE_WAIT: Final = timedelta(hours=72)
BREACH_TERM: Final = timedelta(hours=72)


def terms_of(kind: RightsKind, opened_at: datetime, moved: Moved) -> tuple[datetime, datetime]:
    """(answer by, done by) of a request opened then."""
    return acknowledge_by(opened_at, moved), answer_by(opened_at, TERMS[kind], moved)


def may_extend(done_by: datetime, now: datetime, *, is_extended: bool) -> bool:
    """Once, and before the term is over."""
    return not is_extended and now <= done_by


def extended(done_by: datetime, moved: Moved) -> datetime:
    """The one extension, counted from the end of the term."""
    return answer_by(done_by, EXTENSION, moved)
