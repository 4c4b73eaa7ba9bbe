"""A doctor's word on what was declared, a statement or a paper: a row of the doctor's facility beside it, and
it stays as it was said. It counts for the version that the doctor read."""

from datetime import datetime
from typing import Any, Final

from audit.service import record_act
from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.models import PersonFacts
from ehr.intake.plain import count_withheld
from ehr.intake.units import prepare
from ehr.models import Source
from ehr.reads.scope import scope_of
from ehr.statements import queries
from ehr.statements.keeping import stopped
from ehr.statements.mapping import kind_of
from ehr.statements.models import VerdictBody, VerdictReceipt
from ehr.statements.problems import (
    BLOOD_GROUP_BY_TEST,
    STATEMENT_CHANGED,
    STATEMENT_NOT_FOUND,
    STATEMENT_NOT_TAKEN,
)
from ehr.statements.queries import StatementRow
from ehr.store import hold_head, mark_rows, write_unit
from ehr.views.papers import VERDICT_NOTE, VERDICT_VERSION
from kernel.access import Access, Actor
from kernel.clock import VIETNAM
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

METHOD: Final = "verdict"
_STATUS: Final = {"confirmed": "validated", "refuted": "val-fail"}
_ACTS: Final = {"confirmed": "confirm", "refuted": "refute"}


async def judge(
    tx: Tx, access: Access, statement_id: str, body: VerdictBody, *, request_id: str, now: datetime
) -> VerdictReceipt | Refused:
    """Confirm or refute a statement or an own paper; a second word of the same facility replaces its first.

    Refused: statement-not-found, also where the grant does not reach it; statement-changed;
    blood-group-by-test; statement-not-taken, where the gate stops the note.
    """
    assert access.action == "verify-statement"
    await hold_head(tx, access.patient_id, now)
    row = await queries.DECLARED_ENTRY.one(tx, *scope_of(access, now), statement_id)
    if row is None:
        return Refused(problem=STATEMENT_NOT_FOUND)
    if row.version != body.version:
        return Refused(problem=STATEMENT_CHANGED)
    if kind_of(row.unit) == "blood-group" and body.outcome == "confirmed":
        return Refused(problem=BLOOD_GROUP_BY_TEST)
    if (refused := await _write(tx, access.actor, access, row, body, now)) is not None:
        return refused
    await mark_rows(tx, access.patient_id, [(row.rtype, row.id)], now)
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        f"record:statement:{_ACTS[body.outcome]}",
        resources=[(row.rtype, row.id)],
        grant_id=access.basis_id,
        grant_version=access.basis_version,
        request_id=request_id,
        now=now,
    )
    await emit(tx, access.patient_id, "ehr.statement-judged", {"statement_id": row.id}, now)
    return VerdictReceipt(statement_id=row.id, outcome=body.outcome, version=row.version, said_at=now)


async def _write(
    tx: Tx, actor: Actor, access: Access, row: StatementRow, body: VerdictBody, now: datetime
) -> Refused | None:
    draft = UnitDraft(f"{METHOD}:{row.id}")
    draft.add(draft.name("VerificationResult"), _resource(actor, row, body, now), "verdict")
    source_id = str(actor.facility_id)
    prepared = prepare(draft.unit("", "", PersonFacts()), None, source_id, actor.facility_name)
    if stopped(prepared):
        await count_withheld(tx, access.patient_id, max(1, prepared.withheld), now)
        return Refused(problem=STATEMENT_NOT_TAKEN)
    for made in prepared.resources:
        made.main_id = row.id
        made.labels |= row.labels
    source = Source(
        source_id=source_id,
        facility_id=actor.facility_id,
        credential=str(actor.actor_id),
        method=METHOD,
    )
    owner = row.origin_patient_id or access.patient_id
    await write_unit(tx, owner, source, prepared.resources, unit=draft.scope, now=now)
    return None


def _resource(actor: Actor, row: StatementRow, body: VerdictBody, now: datetime) -> dict[str, Any]:
    licence = {"identifier": {"system": systems.PROVIDER_CODE, "value": actor.licence}}
    said = [{"url": VERDICT_VERSION, "valueString": str(row.version)}]
    if body.note:
        said.append({"url": VERDICT_NOTE, "valueString": body.note})
    return {
        "extension": said,
        "target": [{"reference": f"{row.rtype}/{row.id}"}],
        "status": _STATUS[body.outcome],
        "statusDate": now.astimezone(VIETNAM).isoformat(timespec="seconds"),
        "attestation": {"who": {**(licence if actor.licence else {}), "display": actor.name}},
    }
