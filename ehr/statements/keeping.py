"""How anything that a person adds gets into the book: through the gate, as the person's own source (S3, S17).

Statements and the person's own papers come this way and no other.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.intake.drafts import UnitDraft
from ehr.intake.models import PersonFacts
from ehr.intake.plain import count_withheld
from ehr.intake.units import Prepared, prepare
from ehr.models import Source, WriteResult
from ehr.statements.problems import STATEMENT_NOT_TAKEN
from ehr.store import write_unit
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx

METHOD = "declared"
SOURCE = "person:"


class Spot(Struct, frozen=True):
    """Whose rows these are. After a merge the rows that came along stay with their own person."""

    patient_id: UUID
    source_id: str


def own_source(patient_id: UUID) -> str:
    """The source of what is said in a person's book, by the person or on the person's behalf."""
    return f"{SOURCE}{patient_id}"


def spot_of(access: Access) -> Spot:
    return Spot(access.patient_id, own_source(access.patient_id))


def source_at(access: Access, spot: Spot) -> Source:
    """credential: the account that speaks."""
    return Source(
        source_id=spot.source_id,
        facility_id=None,
        credential=str(access.actor.actor_id),
        method=METHOD,
        state="self-declared",
    )


async def keep_declared(
    tx: Tx, access: Access, spot: Spot, draft: UnitDraft, by: str, now: datetime
) -> WriteResult | Refused:
    """Write what a person says as the unit of its draft; by: who says it, as people read it.

    Refused: statement-not-taken, where the gate stops any of it: nothing is written then, and no word of it
    is kept. Raises BadInputError.
    """
    prepared = prepare(draft.unit("", "", PersonFacts()), None, spot.source_id, None, by)
    if stopped(prepared):
        await count_withheld(tx, access.patient_id, max(1, prepared.withheld), now)
        return Refused(problem=STATEMENT_NOT_TAKEN)
    source = source_at(access, spot)
    return await write_unit(tx, spot.patient_id, source, prepared.resources, unit=draft.scope, now=now)


async def take_back_declared(tx: Tx, access: Access, spot: Spot, unit: str, now: datetime) -> WriteResult:
    """Retract a unit; its last version stays in the history."""
    return await write_unit(tx, spot.patient_id, source_at(access, spot), [], unit=unit, now=now)


def stopped(prepared: Prepared) -> bool:
    """Whether the gate kept anything out, also what a reviewer would look at: nobody reviews what people
    say of themselves."""
    return bool(prepared.withheld or prepared.review)
