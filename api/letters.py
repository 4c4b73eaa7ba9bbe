"""Letters with the places that they gave: the record knows the one, appointments the other."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.letters.models import BookedPlace, Checked, Kept
from ehr.letters.policy import state_of
from ehr.letters.problems import LETTER_BOOKS_NOTHING, LETTER_EXPIRED, LETTER_USED
from ehr.paper_proofs.models import Reference
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from visits.booking import service as booking
from visits.booking.models import AppointmentRow
from visits.slots import reading as slots


class Usable(Struct, frozen=True):
    """A referral that books, and where."""

    referral_id: UUID
    receiver_id: UUID


async def places_of(tx: Tx, access: Access, kept: list[Kept]) -> dict[str, BookedPlace]:
    """The places that letters gave, by their letters, of those that this access may be told of."""
    letters = {one.referral.referral_id: one.id for one in kept if one.referral is not None}
    rows = await booking.of_referrals(tx, access, sorted(letters))
    return {letters[row.referral_id]: _place(row) for row in rows if row.referral_id is not None}


async def place_for_all(tx: Tx, reference: Reference | None, checked: Checked) -> BookedPlace | None:
    """The place that a letter gave, as whoever holds its print may be told of it. The same statements run for
    every code."""
    letter = checked.letter
    referral_id = letter.referral.referral_id if letter and letter.referral else UUID(int=0)
    nobody = UUID(int=0)
    # After a merge an appointment stays with whose it was.
    for person in sorted({checked.book or nobody, reference.owner if reference else nobody}):
        row = await booking.of_referral_for_all(tx, person, referral_id)
        if row is not None:
            return _place(row)
    return None


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
