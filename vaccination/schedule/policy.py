"""A person's schedule from birth date, doses, appointments and refusals: pure, `today` is an argument.

Doses count for one antigen after the other, in the order of their days. A dose counts for the first row whose
time is not over; what came before its minimum age or interval counts for none, and so moves nothing. Only the
first open row of an antigen is due; the rows behind it are planned as if everything before were given on its
first day.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from vaccination.schedule.calendar import after
from vaccination.schedule.models import (
    Booked,
    Given,
    Hold,
    NotCounted,
    PlannedDose,
    Row,
    State,
    Version,
    Visit,
)
from vaccination.schedule.texts import why_vi

_DAY = timedelta(days=1)


class Person(Struct, frozen=True, kw_only=True):
    """Whose schedule it is, on which day, by which version."""

    born: date
    today: date
    version: Version


class Placed(Struct, frozen=True, kw_only=True):
    """Which dose counts for which row (by place), which for none, and the row that is open next."""

    given: dict[int, Given]
    not_counted: list[NotCounted]
    next: int


def earliest(row: Row, born: date, previous: date | None) -> date:
    """The first day that a row may be given: minimum age and interval, whichever is later."""
    by_age = after(born, row.min_age)
    if previous is None or row.min_interval is None:
        return by_age
    return max(by_age, after(previous, row.min_interval))


def last_day(row: Row, born: date) -> date | None:
    """The last day that a row is given at all; None: the source names none."""
    return None if row.before is None else after(born, row.before) - _DAY


def plan_until(row: Row, born: date) -> date | None:
    """The last day on which it is planned as catch-up; None: no age limit is known."""
    return None if row.catch_up_before is None else after(born, row.catch_up_before) - _DAY


def is_confirmed(row: Row, born: date, opens: date) -> bool:
    """Whether the minimum that sets its first day is the source's own."""
    return (
        row.confirmed
        and ("min_age" if opens == after(born, row.min_age) else "min_interval") not in row.unconfirmed
    )


def is_past(row: Row, born: date, previous: date | None, day: date) -> bool:
    """Whether a row is not given any more on a day, or never can be: its first day lies after its last."""
    last = last_day(row, born)
    return last is not None and (day > last or earliest(row, born, previous) > last)


def place(rows: Sequence[Row], doses: Iterable[Given], born: date) -> Placed:
    """Which dose counts for what. rows, doses: of one antigen, the rows in order."""
    given: dict[int, Given] = {}
    not_counted: list[NotCounted] = []
    at, previous = 0, None
    for dose in sorted(doses, key=lambda one: (one.day, one.immunization_id)):
        here = _row_of(rows, at, born, previous, dose.day)
        opens = earliest(rows[here], born, previous) if here < len(rows) else None
        if opens is not None and dose.day >= opens:
            given[here], previous, at = dose, dose.day, here + 1
        else:
            not_counted.append(_not_counted(rows, at, here, opens, dose, born))
    return Placed(given=given, not_counted=not_counted, next=at)


def _not_counted(
    rows: Sequence[Row], at: int, here: int, opens: date | None, dose: Given, born: date
) -> NotCounted:
    """A dose that came before the first day of the row `here`, or behind all rows. at: the row that was open
    before it."""
    row = rows[here] if here < len(rows) else None
    confirmed = rows[-1].confirmed if row is None or opens is None else is_confirmed(row, born, opens)
    return NotCounted(
        immunization_id=dose.immunization_id,
        given_on=dose.day,
        state="extra" if row is None else "given_too_early",
        row=None if row is None else row.row,
        late_for=rows[at].row if here > at else None,
        allowed_from=opens,
        confirmed=confirmed,
        why_vi=why_vi(row, opens, confirmed=confirmed),
    )


def _row_of(rows: Sequence[Row], at: int, born: date, previous: date | None, day: date) -> int:
    """The first row from `at` on whose time is not over on that day; their number, where all are over."""
    while at < len(rows) and is_past(rows[at], born, previous, day):
        at += 1
    return at


def plan(
    person: Person,
    rows: Sequence[Row],
    doses: Iterable[Given],
    booked: Sequence[Booked],
    holds: Sequence[Hold],
) -> tuple[list[PlannedDose], list[NotCounted]]:
    """The rows of one antigen with their states, and the doses that stand for none. booked, holds: of it."""
    placed = place(rows, doses, person.born)
    previous = max((dose.day for dose in placed.given.values()), default=None)
    past = [
        _given(person, row, placed.given[number])
        if number in placed.given
        else _open(person, row, "aged_out")
        for number, row in enumerate(rows[: placed.next])
    ]
    ahead = _ahead(person, rows[placed.next :], previous, booked, holds)
    early = {one.row for one in placed.not_counted if one.state == "given_too_early"}
    return [*past, *(_said_early(one, early) for one in ahead)], placed.not_counted


def _ahead(
    person: Person,
    rows: Sequence[Row],
    previous: date | None,
    booked: Sequence[Booked],
    holds: Sequence[Hold],
) -> list[PlannedDose]:
    """The rows without a dose: the first that is not over, then those that wait for it."""
    planned: list[PlannedDose] = []
    first: PlannedDose | None = None
    before = previous
    for row in rows:
        if first is not None and first.state == "contraindicated":
            # Nobody plans the doses behind one that must not be given.
            made = replace(_open(person, row, "not_yet"), waits=True)
        elif _is_over(person, row, before):
            made = _open(person, row, "aged_out")
        elif first is None:
            made = first = _due(person, row, previous, booked, holds)
        else:
            made = _waiting(person, row, before)
        planned.append(made)
        before = max(made.due_on, person.today) if made.due_on is not None else before
    return planned


def _is_over(person: Person, row: Row, previous: date | None) -> bool:
    if person.today >= after(person.born, person.version.until_age):
        return True
    limit = plan_until(row, person.born)
    if limit is not None and max(earliest(row, person.born, previous), person.today) > limit:
        return True
    return is_past(row, person.born, previous, max(person.today, previous or person.today))


def _due(
    person: Person, row: Row, previous: date | None, booked: Sequence[Booked], holds: Sequence[Hold]
) -> PlannedDose:
    """The first open row. The vaccinator's appointment overrides the computed day, never the minimum."""
    opens = earliest(row, person.born, previous)
    hold = _hold(person, holds, previous)
    appointment = max((one.day for one in booked if previous is None or one.day > previous), default=None)
    due = opens if appointment is None else max(opens, appointment)
    if hold is not None and hold.kind == "deferred":
        due = max(due, hold.day + timedelta(days=person.version.deferral_days))
    late_from = _late_from(person, row, due, moved=due > opens)
    state: State = "not_yet" if person.today < due else "due"
    if hold is not None:
        state = hold.kind
    elif late_from is not None and person.today >= late_from:
        state = "overdue"
    return replace(_open(person, row, state), due_on=due, overdue_from=late_from, booked_on=appointment)


def _late_from(person: Person, row: Row, due: date, *, moved: bool) -> date | None:
    """The first late day: after the source's own time where it names one, after the grace otherwise; none of
    a row that is not confirmed. moved: an appointment or a deferral set the day."""
    if not row.confirmed:
        return None
    by_grace = due + timedelta(days=person.version.overdue_grace_days + 1)
    if row.overdue_after is None:
        return by_grace
    by_age = after(person.born, row.overdue_after) + _DAY
    return max(by_age, by_grace) if moved else by_age


def _hold(person: Person, holds: Sequence[Hold], previous: date | None) -> Hold | None:
    """The newest refusal since the last dose that counts and that still holds."""
    length = timedelta(days=person.version.deferral_days)
    live = [
        one
        for one in holds
        if one.day <= person.today
        and (previous is None or one.day > previous)
        and (one.kind == "contraindicated" or person.today < one.day + length)
    ]
    return max(live, key=lambda one: (one.day, one.kind == "contraindicated"), default=None)


def _waiting(person: Person, row: Row, before: date | None) -> PlannedDose:
    opens = max(earliest(row, person.born, before), person.today)
    return replace(_open(person, row, "not_yet"), due_on=opens, waits=True)


def _given(person: Person, row: Row, dose: Given) -> PlannedDose:
    return replace(
        _open(person, row, "given"),
        given_on=dose.day,
        is_exact=dose.is_exact,
        immunization_id=dose.immunization_id,
        dose_state=dose.dose_state,
    )


def _open(person: Person, row: Row, state: State) -> PlannedDose:
    return PlannedDose(
        row=row.row,
        number=row.number,
        title_vi=row.title_vi,
        state=state,
        due_on=None,
        overdue_from=None,
        last_on=last_day(row, person.born),
        plan_until=plan_until(row, person.born),
        confirmed=row.confirmed,
        unconfirmed=row.unconfirmed,
        source=row.source,
    )


def _said_early(planned: PlannedDose, early: AbstractSet[str | None]) -> PlannedDose:
    """A row for which a dose came too early says so until its day is there."""
    is_early = planned.state == "not_yet" and not planned.waits and planned.row in early
    return replace(planned, state="given_too_early") if is_early else planned


def visits(plans: Sequence[tuple[str, PlannedDose]], today: date) -> list[Visit]:
    """The catch-up plan: what can be given on which day, from today on. plans: antigen and row."""
    days: dict[date, list[tuple[str, PlannedDose]]] = {}
    for antigen, one in plans:
        if one.due_on is not None and one.state != "contraindicated":
            days.setdefault(max(one.due_on, today), []).append((antigen, one))
    return [
        Visit(
            on=day,
            rows=[one.row for _, one in days[day]],
            antigens=list(dict.fromkeys(antigen for antigen, _ in days[day])),
            confirmed=all(one.confirmed for _, one in days[day]),
        )
        for day in sorted(days)
    ]
