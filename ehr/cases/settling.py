"""Cases that data settle by themselves, and visits whose data do not come. Run by the worker."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.cases import queries
from ehr.cases.books import book_of, rows_of_case
from ehr.cases.models import CaseRow
from ehr.cases.moves import SERVICE, Hand, move
from ehr.cases.opening import has_come
from store.database import Tx
from store.keys import KeyRing

# A facility has a day to send what a visit left.
RECORD_WITHIN: Final = timedelta(hours=24)
# Versions that the service itself makes answer nobody: newer rules of the gate, a batch taken back, a visit
# taken out.
_OURS: Final = frozenset({"gate", "revert", "detached"})


async def settle(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> int:
    """After data came: close what they answer. Returns how many cases moved."""
    moved = 0
    for case in await queries.RUNNING_CASES.all(tx, patient_id):
        hand = _hand(case.case_id, now)
        if case.kind == "missing-visit" and case.visit_on is not None:
            if await has_come(tx, patient_id, case.facility_id, case.visit_on):
                await move(tx, keys, patient_id, case.case_id, "arrive", hand)
                moved += 1
        elif case.kind == "correction":
            moved += await _supersede(tx, keys, case, hand)
        elif case.kind == "not-mine" and await _is_gone(tx, case):
            await move(tx, keys, patient_id, case.case_id, "supersede", hand)
            moved += 1
    return moved


async def note_resent(tx: Tx, keys: KeyRing, patient_id: UUID, case_id: UUID, now: datetime) -> bool:
    """What was taken out of this book came again: it stays out and the case starts anew. True if it did."""
    case = await queries.CASE_BY_ID.one(tx, patient_id, case_id)
    if case is None or case.state != "detached":
        return False
    await move(tx, keys, patient_id, case_id, "resend", _hand(case_id, now))
    return True


async def _supersede(tx: Tx, keys: KeyRing, case: CaseRow, hand: Hand) -> bool:
    """The facility sent the entry anew, marked it as an error or took it back: that is its answer."""
    if case.rtype is None or case.item_version is None:
        return False
    seen = case.superseded_version or case.item_version
    book = await book_of(tx, case.patient_id)
    now_is = await queries.VERSION_OF.one(tx, book.patient_id, case.rtype, case.item_id, book.mark)
    if now_is is None or now_is.version <= seen or now_is.method in _OURS:
        return False
    await move(tx, keys, case.patient_id, case.case_id, "supersede", hand, superseded_version=now_is.version)
    return True


async def _is_gone(tx: Tx, case: CaseRow) -> bool:
    book = await book_of(tx, case.patient_id)
    rows = await rows_of_case(tx, case, book)
    return bool(rows) and all(row.gone for row in rows)


def _hand(case_id: UUID, now: datetime) -> Hand:
    return Hand(actor=SERVICE, side="service", request_id=str(case_id), now=now)
