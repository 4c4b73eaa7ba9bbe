"""The facility's side: what was declared for one of its visits. Its person finds that in the own log."""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from identity.merges.aliases import book_to_tell, survivor_of
from identity.people import person_card
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits.declarations import queries
from visits.declarations.models import DeclarationRow, FacilityDeclaration
from visits.declarations.service import answers_of, line_of, stands
from visits.problems import NOT_AT_A_FACILITY

FIRST: Final = UUID(int=0)


async def of_visit(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    visit_id: UUID,
    after: UUID,
    limit: int,
    request_id: str,
    now: datetime,
) -> list[FacilityDeclaration] | Refused:
    """Declarations of a check-in or a booking at the actor's facility, oldest first. A visit of nobody, of
    somebody else's facility, one that was taken back and one without any are alike (security.md S19).
    Refused: not-at-a-facility."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    found = []
    for one in await queries.OF_VISIT.all(tx, actor.facility_id, visit_id, after, limit):
        row = await queries.BY_ID.one(tx, one.patient_id, one.declaration_id)
        if row is not None and await stands(tx, row):
            found.append(row)
    shown = [await _shown(tx, keys, row) for row in found]
    # One line in the log of each person, in one order: two lists at once never wait in a ring.
    for patient_id in sorted({await book_to_tell(tx, row.patient_id, now) for row in found}):
        await record_act(tx, patient_id, actor, "visit:declaration:read", request_id=request_id, now=now)
    return shown


async def _shown(tx: Tx, keys: KeyRing, row: DeclarationRow) -> FacilityDeclaration:
    line = await line_of(tx, row)
    person = await person_card(tx, keys, await survivor_of(tx, row.patient_id))
    return FacilityDeclaration(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        person_name=person.name if person is not None else None,
        birth_date=person.birth_date if person is not None else None,
        answers=answers_of(keys, row),
    )
