"""A person's schedule as an answer: the book by antigen against the version in force today."""

from datetime import date, datetime

from msgspec import Struct

from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from identity.people import person_of
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.book.antigens import ANTIGENS
from vaccination.book.models import Dose
from vaccination.book.reading import doses_of
from vaccination.schedule import policy
from vaccination.schedule.beside import booked_of, given_doses, holds_of
from vaccination.schedule.models import AntigenPlan, Booked, Given, Hold, Row, Schedule
from vaccination.schedule.problems import BIRTH_DATE_UNCLEAR, SCHEDULE_NOT_GRANTED
from vaccination.schedule.queries import APPOINTMENT_LEAD, BESIDE, ROWS_MAX, BesideRow
from vaccination.schedule.table import by_antigen, version_on


class Gathered(Struct, frozen=True):
    """A person's schedule, and what of the book it was counted from."""

    person: policy.Person
    plans: list[AntigenPlan]
    doses: list[Dose]
    given: list[Given]
    beside: list[BesideRow]


async def read(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built | Refused:
    """The schedule of the person, as JSON. Refused: as `gather`."""
    found = await gather(tx, keys, access, now)
    if isinstance(found, Refused):
        return found
    answer = _answer(found.person, found.plans, unplaced(found.doses, found.given), access)
    shown = [("Immunization", dose.immunization_id) for dose in found.doses]
    return Built(encode(answer), shown + [(row.rtype, row.id) for row in found.beside])


async def gather(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Gathered | Refused:
    """The book by antigen. Refused: schedule-birth-date-unclear, schedule-not-granted (a schedule without the
    doses would call everything overdue)."""
    if access.types is not None and "Immunization" not in access.types:
        return Refused(problem=SCHEDULE_NOT_GRANTED)
    known = await person_of(tx, keys, access)
    birth_date = known.birth_date if known else None
    if birth_date is None or len(birth_date) != 10:
        return Refused(problem=BIRTH_DATE_UNCLEAR)
    today = local_day(now)
    doses = await doses_of(tx, access, now)
    beside = await BESIDE.all(tx, *scope_of(access, now), APPOINTMENT_LEAD, ROWS_MAX)
    person = policy.Person(born=date.fromisoformat(birth_date), today=today, version=version_on(today))
    given = given_doses(doses, today)
    items = plans(person, given, booked_of(beside), holds_of(beside))
    return Gathered(person, items, doses, given, beside)


def unplaced(doses: list[Dose], given: list[Given]) -> list[str]:
    """The doses that stand in the book and count for nothing here."""
    known = {one.immunization_id for one in given}
    return [one.immunization_id for one in doses if one.is_counted and one.immunization_id not in known]


def plans(
    person: policy.Person, doses: list[Given], booked: list[Booked], holds: list[Hold]
) -> list[AntigenPlan]:
    """Every antigen of the version, in the order of its data."""
    return [
        _plan(person, antigen, rows, doses, booked, holds)
        for antigen, rows in by_antigen(person.version.rows).items()
    ]


def _plan(
    person: policy.Person,
    antigen: str,
    rows: list[Row],
    doses: list[Given],
    booked: list[Booked],
    holds: list[Hold],
) -> AntigenPlan:
    planned, not_counted = policy.plan(
        person,
        rows,
        [one for one in doses if antigen in one.antigens],
        [one for one in booked if antigen in one.antigens],
        [one for one in holds if antigen in one.antigens],
    )
    name = ANTIGENS[antigen].name_vi if antigen in ANTIGENS else antigen
    return AntigenPlan(antigen=antigen, name_vi=name, rows=planned, not_counted=not_counted)


def _answer(person: policy.Person, items: list[AntigenPlan], left: list[str], access: Access) -> Schedule:
    version = person.version
    days = policy.visits([(item.antigen, row) for item in items for row in item.rows], person.today)
    return Schedule(
        version=version.version,
        effective_from=version.effective_from,
        effective_confirmed=version.effective_confirmed,
        source=version.source,
        note_vi=version.note_vi,
        catch_up_note_vi=version.catch_up_note_vi,
        overdue_grace_days=version.overdue_grace_days,
        birth_date=person.born,
        as_of=person.today,
        items=items,
        next_visit=days[0] if days else None,
        visits=days,
        unscheduled=version.unscheduled,
        unplaced=left,
        notice=notice_for(access),
    )
