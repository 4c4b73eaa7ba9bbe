"""Letters with the places that they gave: the record knows the one, appointments the other."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from api.request import Call
from ehr.letters import service as letters
from ehr.letters.models import BookedPlace, Checked, Kept, LetterAtDesk, Validity
from ehr.letters.policy import state_of
from ehr.letters.problems import LETTER_BOOKS_NOTHING, LETTER_EXPIRED, LETTER_USED
from ehr.paper_proofs.codes import handed_over, read_code
from ehr.paper_proofs.models import PaperCheck, Reference
from ehr.referrals import service as referrals
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits.booking import service as booking
from visits.booking.models import AppointmentRow
from visits.slots import reading as slots

_NOBODY: Final = UUID(int=0)


class Usable(Struct, frozen=True):
    """A referral that books, and where."""

    referral_id: UUID
    receiver_id: UUID


async def places_of(tx: Tx, access: Access, kept: list[Kept]) -> dict[str, BookedPlace]:
    """The places that letters gave, by their letters, of those that this access may be told of."""
    ids = {one.referral.referral_id: one.id for one in kept if one.referral is not None}
    rows = await booking.of_referrals(tx, access, sorted(ids))
    return {ids[row.referral_id]: _place(row) for row in rows if row.referral_id is not None}


async def check_code(tx: Tx, call: Call, code: str) -> tuple[Reference | None, Checked, PaperCheck]:
    """What the code of a print says now to whoever shows it."""
    return await read_for(tx, call.keys, call.letter_validity, code, call.now)


async def read_for(
    tx: Tx, keys: KeyRing, validity: Validity, code: str, now: datetime
) -> tuple[Reference | None, Checked, PaperCheck]:
    """The same without a request. The same statements run for every code (security.md S19)."""
    reference = read_code(keys, handed_over(code), now)
    checked = await letters.check(tx, reference, validity, now)
    place = await _place_for_all(tx, reference, checked)
    return reference, checked, letters.told(reference, checked, place, now)


async def at_desk(
    tx: Tx, facility_id: UUID, reference: Reference | None, checked: Checked, said: PaperCheck
) -> LetterAtDesk:
    """The same for a facility, with what a referral to it lets it do."""
    referral_id = _referral_id(checked)
    step = await referrals.step_at(tx, facility_id, referral_id)
    row = await booking.of_referral_at(tx, _people(reference, checked), referral_id, facility_id)
    return LetterAtDesk(
        check=letters.told_where_booked(said, checked) if row and row.state == "booked" else said,
        referral_id=referral_id if step else None,
        step=step,
        appointment_id=row.appointment_id if row else None,
        appointment_at=row.starts_at if row else None,
    )


async def _place_for_all(tx: Tx, reference: Reference | None, checked: Checked) -> BookedPlace | None:
    """The place that a letter gave, as whoever holds its print may be told of it. The same statements run for
    every code."""
    referral_id = _referral_id(checked)
    people = _people(reference, checked)
    rows = [await booking.of_referral_for_all(tx, person, referral_id) for person in people]
    return next((_place(row) for row in rows if row is not None), None)


def _referral_id(checked: Checked) -> UUID:
    letter = checked.letter
    return letter.referral.referral_id if letter and letter.referral else _NOBODY


def _people(reference: Reference | None, checked: Checked) -> list[UUID]:
    """Always two, of whom nobody may be one: after a merge an appointment stays with whose it was."""
    return [checked.book or _NOBODY, reference.owner if reference else _NOBODY]


async def may_use(tx: Tx, kept: Kept, slot_id: UUID, now: datetime) -> Usable | Refused:
    """Whether a visit may be booked by this letter. Whether it gave a place is for the booking to say.

    Refused: letter-books-nothing, letter-used, letter-expired.
    """
    referral = kept.referral
    if referral is None or referral.receiver_id is None:
        return Refused(problem=LETTER_BOOKS_NOTHING)
    state = state_of(kept, None, local_day(now))
    if state == "used":
        return Refused(problem=LETTER_USED)
    slot = await slots.slot_of(tx, referral.receiver_id, slot_id)
    late = slot is not None and kept.valid_until is not None and local_day(slot.starts_at) > kept.valid_until
    if state == "expired" or late:
        return Refused(problem=LETTER_EXPIRED)
    return Usable(referral.referral_id, referral.receiver_id)


def _place(row: AppointmentRow) -> BookedPlace:
    return BookedPlace(appointment_id=row.appointment_id, day=local_day(row.starts_at))
