"""What breaking the glass opens and for how long: pure functions over consent.md §5 and security.md S24."""

import hashlib
import unicodedata
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Final, get_args
from uuid import UUID

from consent.emergency.models import Category
from kernel.access import RecordType, SafetyFact

# v3-ActReason: break the glass.
PURPOSE: Final = "BTG"
PROOF_LIFE: Final = timedelta(minutes=5)
OPEN_FOR: Final = timedelta(hours=4)
AT_MOST: Final = timedelta(hours=24)
ARRIVED_WITHIN: Final = timedelta(hours=12)
ARRIVAL_AFTER: Final = timedelta(hours=1)
COUNTED_OVER: Final = timedelta(hours=24)
# So many within 24 hours are opened alone; each further one needs a second clinician.
ALONE_MAX: Final = 2
NOTICE_DEFERRED_MAX: Final = timedelta(hours=72)
REVIEW_WITHIN: Final = timedelta(hours=72)
HISTORY_MONTHS: Final = 12
REASON_LENGTH_MIN: Final = 20

# What is typed, letter by letter, before the glass breaks. Ours; the app shows it.
ATTESTATION: Final = "Tôi xác nhận người bệnh đang cấp cứu và tôi cần xem sổ để cứu chữa."

CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
_TYPES: Final[dict[Category, frozenset[RecordType | SafetyFact]]] = {
    "problems": frozenset({"Condition"}),
    "medicines": frozenset({"MedicationRequest", "MedicationStatement"}),
    "blood-group": frozenset({"safety.blood-group"}),
    "implants": frozenset({"safety.implants"}),
    "pregnancy": frozenset({"Observation.pregnancy"}),
    "results": frozenset({"Observation.laboratory"}),
    "imaging": frozenset({"DiagnosticReport", "ImagingStudy"}),
}
# Facts that a whole type holds too: without them they would stand among the results.
_EXCEPT: Final[dict[Category, SafetyFact]] = {"blood-group": "except.blood-group"}

# Of which types a grant must be to show all of it: implants are devices, a blood group is a result.
_SAFETY: Final[frozenset[RecordType]] = frozenset(
    {
        "AllergyIntolerance",
        "Condition",
        "MedicationRequest",
        "MedicationStatement",
        "Device",
        "Observation.pregnancy",
        "Observation.laboratory",
        "DiagnosticReport",
        "ImagingStudy",
    }
)


def opened_types(withheld: Iterable[str]) -> frozenset[RecordType | SafetyFact]:
    """The IPS safety set without what the person leaves out; allergies stay."""
    left_out = set(withheld)
    parts = [_TYPES[category] for category in CATEGORIES if category not in left_out]
    excepted = [_EXCEPT[category] for category in CATEGORIES if category in left_out & _EXCEPT.keys()]
    return frozenset[RecordType | SafetyFact]({"AllergyIntolerance"}).union(*parts, excepted)


def shows_safety_set(types: Collection[RecordType], since: date | None, until: date | None) -> bool:
    """Whether a grant shows all that breaking the glass would: every type of it, of any age."""
    return since is None and until is None and set(types) >= _SAFETY


def is_attested(typed: str) -> bool:
    """Whether the sentence was typed; case, spaces and the Unicode form do not count."""
    return _folded(typed) == _folded(ATTESTATION)


def is_reasoned(text: str) -> bool:
    """At least 20 characters that are no filling: blanks do not count twice, nor does one letter repeated."""
    plain = " ".join(text.split())
    return len(plain) >= REASON_LENGTH_MIN and len(set(plain.casefold())) > 4


def is_read_again(emergency_id: UUID) -> bool:
    """Whether a second facility reads this review again: a tenth, by the id, so that nobody picks."""
    return _number(emergency_id) % 10 == 0


def second_facility(emergency_id: UUID, facilities: list[UUID], own: UUID) -> UUID | None:
    """Which other facility reads again; None where no other one has a reviewer."""
    others = [facility for facility in facilities if facility != own]
    return others[_number(emergency_id) // 10 % len(others)] if others else None


def is_upheld(verdict: str, *, disputed: bool) -> bool:
    """Whether a verdict takes the right away: misuse, or a dispute that the reviewer agrees with."""
    return verdict == "misuse" or (disputed and verdict == "not-justified")


def _number(emergency_id: UUID) -> int:
    return int.from_bytes(hashlib.sha256(b"second reading" + emergency_id.bytes).digest()[:8], "big")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split()).rstrip(".")
