"""When two words are of one visit: pure."""

from datetime import date
from uuid import UUID

import msgspec

from ehr.intake.ids import name_uuid
from ehr.intake.models import BadInputError, Reason
from ehr.pregnancy.models import TetanusDose
from ehr.programmes.models import VISITS_MAX, Enrolment, VisitBody
from ehr.programmes.paper import VisitSaid


def visit_of_day(enrolment_id: UUID, day: date) -> UUID:
    """What a file's visit is called: the same each time the file comes."""
    return UUID(name_uuid(f"{enrolment_id}\n{day}"))


def met(doc: Enrolment | None, body: VisitBody, visit_id: UUID, *, only: UUID | None = None) -> VisitSaid:
    """A visit as it is kept: what is told twice of one day, by form and by file, is one visit, and what the
    later word leaves open stays. only: the one visit that it can be; without it any of that day.

    Raises BadInputError.
    """
    visits = doc.visits if doc else []
    near = [one for one in visits if one.body.visited_on == body.visited_on and only in (None, one.visit_id)]
    if near:
        # The one with a dose first: the same dose stands once.
        before = max(near, key=lambda one: (one.body.tetanus is not None, one.visit_id))
        return VisitSaid(before.visit_id, _filled_up(body, before.body))
    if len(visits) >= VISITS_MAX:
        raise BadInputError([Reason("too-many", "visits")])
    return VisitSaid(visit_id, body)


def _filled_up(body: VisitBody, before: VisitBody) -> VisitBody:
    """Signs one by one: a file has fewer columns than the form."""
    old = {name: one for name, one in msgspec.structs.asdict(before).items() if one is not None}
    new = {name: one for name, one in msgspec.structs.asdict(body).items() if one is not None}
    if body.vital_signs is not None and before.vital_signs is not None:
        told = msgspec.structs.asdict(body.vital_signs).items()
        new["vital_signs"] = msgspec.structs.replace(
            before.vital_signs, **{name: one for name, one in told if one is not None}
        )
    if body.tetanus is not None and body.tetanus.lot_number is None and body.tetanus == _bare(before.tetanus):
        new["tetanus"] = before.tetanus
    # A file knows no place.
    place = "home" if "home" in (body.place, before.place) else "facility"
    return VisitBody(**(old | new | {"place": place}))


def _bare(dose: TetanusDose | None) -> TetanusDose | None:
    return None if dose is None else TetanusDose(number=dose.number)
