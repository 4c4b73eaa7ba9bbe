"""Until when a facility has to answer, with what the operator entered for this installation."""

from datetime import date, datetime, timedelta
from typing import Final

from ehr.cases import queries
from ehr.cases.workdays import TERMS, Counted, Moved, Term, TermKind, acknowledge_by, answer_by
from kernel.clock import local_day
from store.database import Tx

# The longest term in working days, with both long holidays of a year in it.
_AHEAD: Final = timedelta(days=200)


async def deadlines(tx: Tx, kind: TermKind, opened_at: datetime) -> tuple[datetime, datetime]:
    """(acknowledge by, answer by) of a case opened then."""
    moved = await moved_days(tx, local_day(opened_at))
    return acknowledge_by(opened_at, moved), answer_by(opened_at, await term_of(tx, kind), moved)


async def moved_days(tx: Tx, start: date) -> Moved:
    return {row.day: row.works for row in await queries.MOVED_DAYS.all(tx, start, start + _AHEAD)}


async def term_of(tx: Tx, kind: TermKind) -> Term:
    row = await queries.TERM_OF.one(tx, kind)
    if row is None:
        return TERMS[kind]
    return Term(row.answer_days, "working" if row.counted == "working" else "calendar")


async def set_day(tx: Tx, day: date, *, works: bool) -> None:
    """A day off that the government added, or a Saturday that is worked. Open cases keep their terms."""
    await queries.UPSERT_DAY.run(tx, day, works)


async def set_term(tx: Tx, kind: TermKind, days: int, counted: Counted) -> None:
    """Another term for new cases of a kind: 1 to 90 days."""
    await queries.UPSERT_TERM.run(tx, kind, days, counted)
