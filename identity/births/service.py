"""The mother of a newborn, by the birth note (XML9).

The link is for the newborn's own record alone. It never follows an alias, and a merge or an attached number
of either side ends it for good until somebody proves it anew (security.md S10): a forged birth note opens
nothing of a real child. What a link lets the mother do comes with the family package, which asks
`link_in_force`.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from identity import people
from identity.births import queries
from identity.models import Demographics
from identity.policy import births_agree, identifier_in_force
from kernel.text import fold
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit


class Mother(Struct, frozen=True, kw_only=True):
    """What a birth note says of the mother. birth_date: FHIR partial date."""

    number: str
    name: str | None = None
    birth_date: str | None = None


class MotherConflict(Struct, frozen=True):
    """Somebody has the number and is described otherwise: the note waits for a person to look (S17)."""


async def find_mother(
    tx: Tx, keys: KeyRing, mother: Mother | None, now: datetime
) -> UUID | MotherConflict | None:
    """The mother, when number, birth date and name agree. None: nobody has the number, or the note says too
    little to be sure, and then there is no link."""
    row = None if mother is None else await people.number_owner(tx, keys, "national-id", mother.number)
    if mother is None or row is None or not identifier_in_force(row, now):
        return None
    known = await people.demographics(tx, keys, row.patient_id)
    # The note's column is "mother or carer": a father who carries the number is no mother, and no error.
    if known is None or known.sex == "male":
        return None
    if _contradicts(mother, known):
        return MotherConflict()
    return row.patient_id if mother.name and mother.birth_date else None


async def link(tx: Tx, newborn_id: UUID, mother_id: UUID, facility_id: UUID | None, now: datetime) -> bool:
    """Keep the link on both ends; True when it is new. The family package hears of it by the event."""
    if await queries.INSERT_LINK.one(tx, newborn_id, mother_id, facility_id, now) is None:
        return False
    await queries.INSERT_LINK_OF_MOTHER.run(tx, mother_id, newborn_id, now)
    await emit(tx, mother_id, "identity.newborn-linked", {"newborn_id": str(newborn_id)}, now)
    return True


async def link_in_force(tx: Tx, mother_id: UUID, newborn_id: UUID) -> bool:
    """Whether the birth note's mother may stand for this newborn's record now."""
    newborn_says = await queries.NEWBORN_END.one(tx, newborn_id, mother_id)
    mother_says = await queries.MOTHER_END.one(tx, mother_id, newborn_id)
    return newborn_says is not None and mother_says is not None


async def newborns_of(tx: Tx, mother_id: UUID) -> list[UUID]:
    """Everybody linked to a mother, whether in force or not: for registry officers' look-ups."""
    return await queries.NEWBORNS_OF.all(tx, mother_id)


def _contradicts(mother: Mother, known: Demographics) -> bool:
    if mother.birth_date and known.birth_date and not births_agree(mother.birth_date, known.birth_date):
        return True
    return bool(mother.name and known.name) and fold(mother.name or "") != fold(known.name or "")
