"""Saying something of one's own health, changing it, taking it back. What a facility sent is never touched.

The person may change everything that was said in the own book; who speaks for somebody else, what that
speaker said.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from ehr.intake.ids import resource_id
from ehr.intake.models import BadInputError
from ehr.intake.phr831_fields import DRUG_USE
from ehr.reads.faces import NO_COPIES, faced
from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from ehr.statements import queries
from ehr.statements.choices import SINGLE
from ehr.statements.keeping import Spot, keep_declared, spot_of, take_back_declared
from ehr.statements.mapping import draft_of, kind_of, unit_key
from ehr.statements.models import StatementBody, StatementReceipt, Statements, StatementShown
from ehr.statements.problems import (
    STATEMENT_DRUG_USE,
    STATEMENT_EXISTS,
    STATEMENT_INVALID,
    STATEMENT_NOT_FOUND,
    STATEMENT_NOT_YOURS,
    TOO_MANY_STATEMENTS,
)
from ehr.statements.queries import STANDING_MAX, UNIT, StatementRow, WrittenRow
from ehr.statements.speaker import speaker_of
from ehr.store import hold_head
from identity import budgets
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused, refuse
from kernel.text import fold
from store.database import Tx
from store.keys import KeyRing

REASONS_SHOWN: Final = 10
# Folded: the form's words for LOAI 3 when somebody types them, and everyday ones (ours).
_DRUG_WORDS: Final = ("ma tuy", "chat gay nghien", "can sa", "thuoc lac", "cai nghien")


async def say(
    tx: Tx, keys: KeyRing, access: Access, body: StatementBody, *, request_id: str, now: datetime
) -> StatementReceipt | Refused:
    """Take a statement in. Raises statement-invalid with the fields.

    Refused: statement-drug-use, statement-not-taken, statement-exists, too-many-statements, too-many.
    """
    assert access.action == "add-to-record"
    if (refused := await _admit(tx, access, body, now)) is not None:
        return refused
    spot = spot_of(access)
    await hold_head(tx, access.patient_id, now)
    if await is_full(tx, spot):
        return Refused(problem=TOO_MANY_STATEMENTS)
    same = f"{UNIT}{body.kind}:%"
    if body.kind in SINGLE and await queries.STANDING.one(tx, spot.patient_id, same, spot.source_id):
        return Refused(problem=STATEMENT_EXISTS)
    unit = unit_key(body.kind, uuid7(now))
    return await _write(tx, keys, access, spot, body, unit, "create", request_id, now)


async def amend(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    statement_id: str,
    body: StatementBody,
    *,
    request_id: str,
    now: datetime,
) -> StatementReceipt | Refused:
    """Replace what a statement says. A doctor's word on what it said before counts for that alone."""
    assert access.action == "add-to-record"
    if (refused := await _admit(tx, access, body, now)) is not None:
        return refused
    row = await _standing(tx, access, statement_id, now)
    if isinstance(row, Refused):
        return row
    if kind_of(row.unit) != body.kind:
        refuse(STATEMENT_INVALID, where="not-for-this-kind kind")
    return await _write(tx, keys, access, _spot_of_row(access, row), body, row.unit, "amend", request_id, now)


async def withdraw(
    tx: Tx, access: Access, statement_id: str, *, request_id: str, now: datetime
) -> StatementReceipt | Refused:
    """Take a statement back: it leaves the book, its versions stay in the history."""
    assert access.action == "add-to-record"
    row = await _standing(tx, access, statement_id, now)
    if isinstance(row, Refused):
        return row
    await take_back_declared(tx, access, _spot_of_row(access, row), row.unit, now)
    await _log(tx, access, "withdraw", row.rtype, row.id, request_id, now)
    written = await queries.WRITTEN.one(tx, access.patient_id, row.id, None)
    assert written is not None
    return _receipt(written)


async def written_before(tx: Tx, access: Access, statement_id: UUID) -> StatementReceipt | Refused:
    """The receipt of what this account said."""
    speaker = str(access.actor.actor_id)
    row = await queries.WRITTEN.one(tx, access.patient_id, str(statement_id), speaker)
    return Refused(problem=STATEMENT_NOT_FOUND) if row is None else _receipt(row)


async def read(tx: Tx, access: Access, now: datetime) -> Built:
    """All that was declared and that the reader may see. One statement."""
    rows = await queries.DECLARED.all(tx, *scope_of(access, now))
    items = [_shown(access, row) for row in rows]
    return Built(
        encode(Statements(items=items, notice=notice_for(access))), [(row.rtype, row.id) for row in rows]
    )


async def declared_entry(tx: Tx, access: Access, ident: str, now: datetime) -> StatementRow | None:
    """A statement or an own paper; one that the reader may not see is none."""
    return await queries.DECLARED_ENTRY.one(tx, *scope_of(access, now), ident)


async def is_full(tx: Tx, spot: Spot) -> bool:
    """Whether the book has all the statements that it can have."""
    standing = await queries.STANDING.one(tx, spot.patient_id, f"{UNIT}%", spot.source_id)
    return (standing or 0) >= STANDING_MAX


def may_change(access: Access, row: StatementRow) -> bool:
    own = access.is_own or row.said_by == str(access.actor.actor_id)
    return own and access.actor.kind == "citizen"


async def _admit(tx: Tx, access: Access, body: StatementBody, now: datetime) -> Refused | None:
    """What is refused before anything of the book is looked at; it is charged all the same."""
    told = fold(" ".join(part for part in (body.name, body.note, body.amount) if part))
    is_drug = body.kind == "risk-factor" and (body.code or "").lstrip("0") == DRUG_USE
    if is_drug or (body.kind == "risk-factor" and any(word in told for word in _DRUG_WORDS)):
        return Refused(problem=STATEMENT_DRUG_USE)
    book = budgets.subject(access.patient_id.bytes)
    return await budgets.charge_or_refuse(tx, budgets.STATEMENTS_DAY, book, now)


async def _standing(tx: Tx, access: Access, statement_id: str, now: datetime) -> StatementRow | Refused:
    """The statement, with the book held; one that the asking person may not see is none."""
    await hold_head(tx, access.patient_id, now)
    row = await declared_entry(tx, access, statement_id, now)
    if row is None or not row.unit.startswith(UNIT):
        return Refused(problem=STATEMENT_NOT_FOUND)
    return row if may_change(access, row) else Refused(problem=STATEMENT_NOT_YOURS)


def _spot_of_row(access: Access, row: StatementRow) -> Spot:
    return Spot(row.origin_patient_id or access.patient_id, row.source_id)


async def _write(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    spot: Spot,
    body: StatementBody,
    unit: str,
    act: str,
    request_id: str,
    now: datetime,
) -> StatementReceipt | Refused:
    by = speaker_of(keys, access, body.said_by)
    try:
        draft = draft_of(body, unit, by, now, by_self=access.is_own)
        kept = await keep_declared(tx, access, spot, draft, by, now)
    except BadInputError as error:
        places = "; ".join(f"{one.code} {one.where}" for one in error.reasons[:REASONS_SHOWN])
        refuse(STATEMENT_INVALID, where=places)
    if isinstance(kept, Refused):
        return kept
    rtype = draft.main.partition("/")[0]
    row = await queries.WRITTEN.one(
        tx, access.patient_id, resource_id(spot.source_id, draft.main), str(access.actor.actor_id)
    )
    assert row is not None
    await _log(tx, access, act, rtype, row.id, request_id, now)
    return _receipt(row)


async def _log(
    tx: Tx, access: Access, act: str, rtype: str, ident: str, request_id: str, now: datetime
) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        f"record:statement:{act}",
        resources=[(rtype, ident)],
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )


def _receipt(row: WrittenRow) -> StatementReceipt:
    return StatementReceipt(
        statement_id=UUID(row.id),
        kind=kind_of(row.unit),
        version=row.version,
        status="withdrawn" if row.deleted else "standing",
        changed_at=row.updated,
    )


def _shown(access: Access, row: StatementRow) -> StatementShown:
    return StatementShown(
        statement_id=row.id,
        kind=kind_of(row.unit),
        version=row.version,
        changed_at=row.updated,
        may_change=may_change(access, row),
        item=faced(row, NO_COPIES),
    )
