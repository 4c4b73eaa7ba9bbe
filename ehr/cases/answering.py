"""The facility's side: staff open a case, say that they got it, answer, refuse or settle it.

What staff write to a person is a form like any other (vietnam.md §5): a text that the gate would not
take into the book is not taken here either. What the person writes is the person's own statement and passes
no gate.
"""

from typing import Literal
from uuid import UUID

from ehr.cases.models import CaseRow
from ehr.cases.moves import Hand, leave_note, move
from ehr.cases.problems import CASE_INVALID
from ehr.cases.reading import case_of_facility
from ehr.intake.gate import judge_plain
from identity import budgets
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

Answer = Literal["acknowledge", "reply", "refuse", "resolve"]


async def open_file(tx: Tx, facility_id: UUID, case_id: UUID, hand: Hand) -> CaseRow | Refused:
    """Somebody of the facility looks into a case; the person finds who in the log."""
    case = await case_of_facility(tx, facility_id, case_id)
    if not isinstance(case, Refused):
        await leave_note(tx, case.patient_id, "case:file:read", hand)
    return case


async def answer(
    tx: Tx, keys: KeyRing, facility_id: UUID, case_id: UUID, act: Answer, note: str | None, hand: Hand
) -> CaseRow | Refused:
    """One act of the facility on its own case. Refused: case-unknown, case-state, case-invalid, too-many."""
    case = await case_of_facility(tx, facility_id, case_id)
    if isinstance(case, Refused):
        return case
    if note is not None and judge_plain(note) != "keep":
        return Refused(problem=CASE_INVALID, where="text")
    if act == "reply":
        spent = await budgets.charge_or_refuse(
            tx, budgets.CASE_REPLIES_DAY, budgets.subject(case_id.bytes), hand.now
        )
        if spent is not None:
            return spent
    return await move(tx, keys, case.patient_id, case_id, act, hand, note=note)
