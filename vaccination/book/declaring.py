"""Declaring a dose that stands on paper alone: a statement of the person's own, with its picture.

It comes into the record as every statement does (ehr/statements): through the gate, under the source
`person:…`, self-declared for good. Doctors look at it, and it is shown and taken back, as the others are. No
facility's dose is touched, and no certificate rests on it (security.md S3, S28).
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from audit.service import record_act
from ehr.dates import moment
from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept
from ehr.intake.ids import resource_id
from ehr.own_documents.mapping import is_past
from ehr.own_documents.service import usable_paper
from ehr.statements.keeping import keep_declared, spot_of
from ehr.statements.mapping import unit_key
from ehr.statements.models import StatementReceipt
from ehr.statements.problems import TOO_MANY_STATEMENTS
from ehr.statements.service import is_full, written_before
from ehr.statements.speaker import speaker_of
from ehr.store import hold_head
from identity import budgets
from identity.people import person_of
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.book.antigens import ANTIGEN_SYSTEM, ANTIGENS
from vaccination.book.document import PAPER
from vaccination.book.models import NewDose
from vaccination.book.problems import DOSE_INVALID, DOSE_PAPER_UNKNOWN

RTYPE: Final = "Immunization"


async def declare_dose(
    tx: Tx, keys: KeyRing, access: Access, dose: NewDose, *, request_id: str, now: datetime
) -> StatementReceipt | Refused:
    """Take a dose in. Refused: vaccination-dose-invalid with the field, vaccination-paper-unknown,
    too-many-statements, statement-not-taken where the gate stops it, too-many."""
    assert access.action == "add-to-record"
    book = budgets.subject(access.patient_id.bytes)
    if (spent := await budgets.charge_or_refuse(tx, budgets.STATEMENTS_DAY, book, now)) is not None:
        return spent
    if (wrong := fault_of(dose, await _born(tx, keys, access), now)) is not None:
        return Refused(problem=DOSE_INVALID, where=wrong)
    await hold_head(tx, access.patient_id, now)
    if not await usable_paper(tx, access, dose.paper_id, now):
        return Refused(problem=DOSE_PAPER_UNKNOWN)
    spot = spot_of(access)
    if await is_full(tx, spot):
        return Refused(problem=TOO_MANY_STATEMENTS)
    by = speaker_of(keys, access, dose.said_by)
    draft = draft_of(dose, unit_key("vaccination", uuid7(now)), by)
    kept = await keep_declared(tx, access, spot, draft, by, now)
    if isinstance(kept, Refused):
        return kept
    ident = resource_id(spot.source_id, draft.name(RTYPE))
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        "record:statement:create",
        resources=[(RTYPE, ident)],
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
    return await written_before(tx, access, UUID(ident))


def fault_of(dose: NewDose, born: str | None, now: datetime) -> str | None:
    """The field that cannot be: a day that does not exist, has not begun or lies before the birth; an unknown
    antigen; neither vaccine nor antigen."""
    if not is_past(dose.given, now) or (born is not None and _is_before(dose.given, born)):
        return "given"
    for number, key in enumerate(dose.antigens):
        if key not in ANTIGENS:
            return f"antigens[{number}]"
    return None if dose.vaccine or dose.antigens else "vaccine"


def draft_of(dose: NewDose, unit: str, by: str) -> UnitDraft:
    """The statement as a unit of the record."""
    draft = UnitDraft(unit)
    names = " · ".join(ANTIGENS[key].name_vi for key in dose.antigens)
    told = f"Cơ sở ghi trên sổ: {dose.facility_name}" if dose.facility_name else ""
    extensions = [
        {"url": systems.DECLARED_BY, "valueString": by},
        {"url": PAPER, "valueString": dose.paper_id},
    ]
    protocol: dict[str, Any] = {"doseNumberPositiveInt": dose.dose_number} if dose.dose_number else {}
    if dose.antigens:
        protocol["targetDisease"] = [concept("", (ANTIGEN_SYSTEM, key)) for key in dose.antigens]
    body = {
        "extension": extensions,
        "status": "completed",
        "vaccineCode": concept(dose.vaccine or f"Vắc xin phòng {names}"),
        "patient": draft.patient,
        "occurrenceDateTime": dose.given,
        "primarySource": False,
        "lotNumber": dose.lot,
        "protocolApplied": [protocol] if protocol else [],
        "note": [{"text": told}] if told else [],
    }
    draft.add(draft.name(RTYPE), body, "statement")
    return draft


async def _born(tx: Tx, keys: KeyRing, access: Access) -> str | None:
    known = await person_of(tx, keys, access)
    return known.birth_date if known else None


def _is_before(given: str, born: str) -> bool:
    """Whether no day that `given` may mean is one that the person lived."""
    return moment(given).last < moment(born).first
