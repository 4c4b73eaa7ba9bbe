"""What speaks for the doses of a book beside themselves."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import rfc8785
from msgspec import Struct

from ehr.core.policy import HARD
from ehr.merges.service import book_of, mark_of
from store.database import Tx
from vaccination.book.models import Dose
from vaccination.book.reading import folded
from vaccination.certificates import queries
from vaccination.certificates.eligibility import given_day
from vaccination.certificates.models import Evidence, Owned
from vaccination.certificates.queries import SideRow, covers

# A system is asked again when somebody reads; a certificate is for a year.
_FRESH_FOR: Final = HARD


class Judged(Struct, frozen=True, kw_only=True):
    """A dose with what speaks for it. credential: of who sent what it says now."""

    dose: Dose
    owned: Owned
    evidence: Evidence
    credential: str


async def standing_doses(tx: Tx, book: UUID, asked: Collection[str] = ()) -> list[Dose]:
    """The doses that stand in a book, whoever may read it: for what was issued and what is due of it. The
    newest 500, and before them those of these ids."""
    return folded(await queries.STANDING.all(tx, book, sorted(asked)))


async def judge(tx: Tx, book: UUID, doses: list[Dose], now: datetime) -> list[Judged]:
    """Evidence for doses of one book, in their order. Five statements, however many they are."""
    ids = [dose.immunization_id for dose in doses]
    sides = {row.id: row for row in await queries.SIDES.all(tx, book, ids)}
    periods = await queries.may_vaccinate(tx, {dose.facility_id for dose in doses if dose.facility_id})
    owners = {row.origin_patient_id or book for row in sides.values()}
    confirmed = {
        (owner, row.dose_id, row.said_sha256)
        for owner in sorted(owners)
        for row in await queries.CONFIRMED.all(tx, owner)
    }
    asked = {row.source_id: row.asked_at for row in await queries.FRESH.all(tx, book)}
    found = []
    for dose in doses:
        side, day = sides[dose.immunization_id], given_day(dose)
        owned = owned_of(book, side)
        at = asked.get(dose.source)
        evidence = Evidence(
            authorised=dose.facility_id is not None
            and day is not None
            and covers(periods.get(dose.facility_id, []), day),
            said_at=side.said_at,
            confirmed=(owned.patient_id, owned.dose_id, said_sha256(dose)) in confirmed,
            stale=dose.source in asked and (at is None or now - at >= _FRESH_FOR),
        )
        found.append(Judged(dose=dose, owned=owned, evidence=evidence, credential=side.credential))
    return found


async def judged_dose(tx: Tx, owned: Owned, now: datetime) -> tuple[UUID, Judged | None]:
    """A dose by whose it is, with the book it stands in: after a merge it goes over in its own time. None
    where it does not stand."""
    survivor, _ = await book_of(tx, owned.patient_id)
    ids = ids_of(owned)
    for book in dict.fromkeys((survivor, owned.patient_id)):
        doses = [dose for dose in await standing_doses(tx, book, ids) if dose.immunization_id in ids]
        for one in await judge(tx, book, doses, now):
            if one.owned == owned:
                return book, one
    return survivor, None


def owned_of(book: UUID, side: SideRow) -> Owned:
    owner = side.origin_patient_id or book
    return Owned(patient_id=owner, dose_id=side.id.removesuffix(mark_of(owner)))


def ids_of(owned: Owned) -> set[str]:
    """A dose's ids: in its person's book, and in the one that a merge put it into."""
    return {owned.dose_id, owned.dose_id + mark_of(owned.patient_id)}


def said_sha256(dose: Dose) -> bytes:
    """Over what a second account confirms: which vaccine, when, where, the how manieth."""
    said = [dose.given, dose.title, dose.code, dose.dose_number, str(dose.facility_id)]
    return hashlib.sha256(rfc8785.dumps(said)).digest()
