"""Whether a dose that was just written stands in the book already, by whoever said it.

Nothing is left out for it: the book folds copies when it is read, so that one sender's word stays when
another takes his back.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from ehr.intake.models import Reason
from ehr.models import NewResource
from kernel.clock import VIETNAM
from kernel.text import fold
from store.database import Tx
from vaccination.book.antigens import antigens_of
from vaccination.book.document import given_of
from vaccination.first_fill import queries

KNOWN: Final = Reason("dose-known", "row")
_DAY: Final = timedelta(days=1)
_Said = tuple[frozenset[str], str]


async def is_known(tx: Tx, patient_id: UUID, dose: NewResource) -> bool:
    """Whether the book has the same dose in another entry."""
    if dose.eff is None or dose.eff_precision not in ("day", "instant"):
        return False
    day = dose.eff.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    others = await queries.SAME_DAY.all(tx, patient_id, dose.id, day, day + _DAY)
    said = _said(dose.doc, dose.code_system, dose.code, dose.title)
    return any(_is_same(said, _said(one.doc, one.code_system, one.code, one.title)) for one in others)


def _said(doc: str, code_system: str | None, code: str | None, title: str) -> _Said:
    """What a dose is against, and its vaccine by code or name."""
    given = given_of(doc)
    named = [coding for disease in given.protocol.target_disease for coding in disease.coding]
    antigens = antigens_of(given.vaccine_code, named, title)
    return frozenset(antigens), f"{code_system}|{code}" if code else fold(title)


def _is_same(one: _Said, other: _Said) -> bool:
    """As the book folds: one is against all that the other is; where that is unknown, the same vaccine."""
    if one[0] and other[0]:
        return one[0] <= other[0] or other[0] <= one[0]
    return not (one[0] or other[0]) and one[1] == other[1]
