"""How long a letter counts and whether it was used. Pure.

No last day is made up: XML13 and XML14 carry none, and the days of the circulars are unconfirmed, so they are
a setting (docs/front-desk.md).
"""

from datetime import date, timedelta
from typing import Final

from ehr.letters.models import BookedPlace, Ground, Kept, LetterKind, Use, Validity
from ehr.paper_proofs.models import LetterState

# Ours: whoever comes so long before the day came for it.
EARLY: Final = timedelta(days=3)

STATES_VI: Final[dict[LetterState, str]] = {
    "valid": "Phiếu còn dùng được.",
    "used": "Phiếu đã dùng.",
    "expired": "Phiếu đã hết hạn; hãy liên hệ nơi cấp phiếu.",
    "withdrawn": "Nơi cấp đã thu hồi phiếu này.",
    "amended": "Nơi cấp đã phát hành phiếu mới hơn.",
}
BOOKED_VI: Final = "Phiếu đã dùng để đặt lịch khám."
# Beside what a code says of every paper.
TOLD_VI: Final[dict[LetterState, str]] = {
    "used": "Phiếu này đã được dùng.",
    "expired": "Phiếu này đã hết hạn.",
}
TOLD_EN: Final[dict[LetterState, str]] = {
    "used": "This letter was used.",
    "expired": "This letter has expired.",
}


def last_day(
    kind: LetterKind, said: date | None, counted_from: date | None, validity: Validity
) -> tuple[date | None, Ground | None]:
    """The last day on which it counts. said: as its facility sent it, which goes before every setting."""
    if said is not None:
        return said, "letter"
    days = validity.referral_days if kind == "referral" else validity.revisit_days
    if not days or counted_from is None:
        return None, None
    return counted_from + timedelta(days=days), "setting"


def used(kept: Kept, place: BookedPlace | None) -> tuple[Use, date] | None:
    """What it was used for. A revisit that came after the last day was no use of it."""
    late = kept.kind == "revisit" and kept.valid_until is not None
    if kept.visited_on is not None and not (late and kept.visited_on > (kept.valid_until or date.max)):
        return "visited", kept.visited_on
    if place is not None:
        return "booked", place.day
    if kept.referral is not None and kept.referral.state == "booked" and kept.referral.booked_for:
        return "booked", kept.referral.booked_for
    return None


def state_of(kept: Kept, place: BookedPlace | None, today: date) -> LetterState:
    """Of a letter that stands; the other states are those of a print that does not."""
    if used(kept, place) is not None:
        return "used"
    return "expired" if kept.valid_until is not None and kept.valid_until < today else "valid"


def may_book(kept: Kept, place: BookedPlace | None, today: date) -> bool:
    """Whether a visit can be booked by it: of a referral to a facility here that counts and was not used."""
    goes = kept.referral is not None and kept.referral.receiver_id is not None
    return goes and state_of(kept, place, today) == "valid"
