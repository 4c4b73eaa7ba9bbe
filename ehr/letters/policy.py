"""How long a letter counts and whether it was used. Pure.

No last day is made up: XML13 and XML14 carry none, and the days of the circulars are unconfirmed, so they are
a setting (docs/front-desk.md).
"""

from datetime import date, timedelta
from typing import Final

from ehr.letters.models import BookedPlace, Ground, Kept, LetterKind, Use, Validity
from ehr.paper_proofs.models import LetterState

_PLACES: Final = frozenset({"Nơi đi", "Nơi đến"})
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
# At the desk of the facility where that visit is.
BOOKED_HERE_VI: Final = "Người bệnh đã đặt lịch khám ở đây bằng phiếu này."
BOOKED_HERE_EN: Final = "A visit here was booked by this letter."
# Beside what a code says of every paper.
TOLD_VI: Final[dict[LetterState, str]] = {
    "used": "Phiếu này đã được dùng.",
    "expired": "Phiếu này đã hết hạn.",
}
TOLD_EN: Final[dict[LetterState, str]] = {
    "used": "This letter was used.",
    "expired": "This letter has expired.",
}


def with_names(lines: list[str], names: dict[str, str]) -> list[str]:
    """The lines of a letter, codes of facilities with the names that the register has."""
    return [f"{line} ({names[code]})" if (code := code_in(line)) in names else line for line in lines]


def code_in(line: str) -> str | None:
    """The code of the facility that a line of a referral names (ehr/intake/map_letters.py)."""
    label, _, value = line.partition(": ")
    return value if label in _PLACES else None


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
