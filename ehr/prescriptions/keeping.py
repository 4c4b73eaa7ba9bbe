"""What stands beside a prescription's rows: its code, its lines' quantities, and its end.

The rows themselves come and go with the unit, so the gate, hiding, merges and erasures hold for them; a
prescription of which no row is left is seen by nobody. A revert undoes its state here too.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.intake.models import PrescriptionFacts, Reason
from ehr.intake.systems import PRESCRIPTION_LINE
from ehr.merges.service import book_of
from ehr.models import NewResource, Source
from ehr.prescriptions import queries
from ehr.prescriptions.models import CodeRow
from ehr.prescriptions.policy import kind_of, prescription_of, unit_key
from ehr.queries import StaleRow
from ehr.rebuild import view_again
from ehr.store import hold_head, write_unit
from identity.merges.aliases import book_to_tell
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing
from store.outbox import emit

End: TypeAlias = Literal["replaced", "withdrawn"]
_LOOKUP: Final = "prescription-code"
_ACTIVE: Final = '"status":"active"'


class _Number(Struct):
    system: str = ""
    value: str = ""


class _Amount(Struct):
    value: Decimal
    unit: str = ""


class _Request(Struct):
    quantity: _Amount


class Line(Struct, rename="camel"):
    """What the text of a line says beside its medicine."""

    identifier: list[_Number]
    dispense_request: _Request

    @property
    def number(self) -> int:
        return next(int(one.value) for one in self.identifier if one.system == PRESCRIPTION_LINE)


_line = msgspec.json.Decoder(Line).decode


def line_of(doc: str) -> Line:
    """A line's number and quantity, from its text as this package wrote it."""
    return _line(doc)


def line_mark(line: int) -> str:
    """How a line's number stands in its text."""
    return f'"system":"{PRESCRIPTION_LINE}","value":"{line}"'


def code_hashes(keys: KeyRing, code: str) -> list[bytes]:
    """By today's key first; a code lives for days, so what an older key found is not written anew."""
    return [digest for _, digest in lookup_hashes(keys, _LOOKUP, code)]


async def find_code(tx: Tx, keys: KeyRing, code: str) -> CodeRow | None:
    """The prescription of a code, whichever key it was hashed by."""
    for digest in code_hashes(keys, code):
        if (found := await queries.CODE.one(tx, digest)) is not None:
            return found
    return None


async def lock_code(tx: Tx, keys: KeyRing, code: str) -> CodeRow | None:
    """The same, held until the end of the transaction."""
    for digest in code_hashes(keys, code):
        if (found := await queries.LOCK_CODE.one(tx, digest)) is not None:
            return found
    return None


async def take_code(
    tx: Tx, keys: KeyRing, facts: PrescriptionFacts, source: Source, now: datetime
) -> Reason | Literal["first", "again", "over"]:
    """Take a code for its first sending, and end what it replaces; or say what stands of it.

    again: sent before, to the letter, and it stands. over: it was replaced or withdrawn since: nothing is
    written. The answer does not depend on whose it is (security.md S19), and no other source touches it (S3).
    """
    known = await lock_code(tx, keys, facts.code)
    if known is not None:
        return _again(known, facts, source)
    older = None
    if facts.replaces is not None:
        older = await lock_code(tx, keys, facts.replaces)
        if older is None or older.source_id != source.source_id:
            return Reason("unknown-prescription", "replaces")
        if older.state != "standing":
            return Reason(f"already-{older.state}", "replaces")
    digest = code_hashes(keys, facts.code)[0]
    taken = await queries.CLAIM_CODE.one(
        tx, digest, facts.prescription_id, source.source_id, facts.content_sha256, now, source.credential
    )
    if taken is None:
        known = await lock_code(tx, keys, facts.code)
        assert known is not None, "somebody else's sending just committed"
        return _again(known, facts, source)
    if older is not None:
        await end(tx, older, "replaced", source, now, replaced_by=facts.prescription_id)
    return "first"


def _again(known: CodeRow, facts: PrescriptionFacts, source: Source) -> Reason | Literal["again", "over"]:
    if known.source_id != source.source_id:
        return Reason("facility-mismatch", "ma_don_thuoc")
    if known.content_sha256 != facts.content_sha256:
        return Reason("already-sent", "ma_don_thuoc")
    return "again" if known.state == "standing" else "over"


async def keep(
    tx: Tx,
    keys: KeyRing,
    facts: PrescriptionFacts,
    patient_id: UUID,
    source: Source,
    rows: list[NewResource],
    now: datetime,
) -> None:
    """After the rows of a prescription were written into somebody's book: what stands beside them.

    rows: its resources, those that wait for a reviewer too.
    """
    assert source.facility_id is not None, "a code names its facility"
    ident = facts.prescription_id
    known = await lock_code(tx, keys, facts.code)
    if known is None:
        return
    if known.patient_id is not None and known.patient_id != patient_id:
        await _move(tx, known.patient_id, patient_id, ident)
    await queries.CODE_OF_PERSON.run(tx, known.code_hash, patient_id)
    lines = [line_of(row.doc) for row in rows if row.rtype == "MedicationRequest"]
    if not lines:
        return
    replaces = None
    if facts.replaces is not None:
        older = await find_code(tx, keys, facts.replaces)
        replaces = older.prescription_id if older else None
    created = await queries.INSERT.one(
        tx,
        *(patient_id, ident, source.facility_id, facts.code, kind_of(facts.code), unit_key(ident)),
        *(facts.issued_at, facts.collect_by, replaces, now, known.state == "standing"),
    )
    await queries.INSERT_LINES.many(
        tx,
        (
            (
                patient_id,
                ident,
                line.number,
                line.dispense_request.quantity.value,
                line.dispense_request.quantity.unit,
            )
            for line in lines
        ),
    )
    if created is not None:
        await _tell(tx, patient_id, "recorded", ident, now)
    if known.state != "standing":
        await _end_in_book(tx, patient_id, ident, known.state, source, now, known.replaced_by)


async def end(
    tx: Tx, known: CodeRow, how: End, source: Source, now: datetime, *, replaced_by: UUID | None = None
) -> None:
    """Replace or withdraw what this source sent: nothing more is dispensed, and it is no active medicine."""
    assert known.source_id == source.source_id
    await queries.END_CODE.run(tx, known.code_hash, how, replaced_by, source.credential, now)
    if known.patient_id is not None:
        await _end_in_book(tx, known.patient_id, known.prescription_id, how, source, now, replaced_by)


async def _end_in_book(
    tx: Tx,
    patient_id: UUID,
    ident: UUID,
    how: End,
    source: Source,
    now: datetime,
    replaced_by: UUID | None,
) -> None:
    """Lines of which something was handed out stay as stopped, the others as cancelled; advice, diagnoses and
    the revisit of the prescription go: those of its replacement stand."""
    book, origin = await book_of(tx, patient_id)
    await hold_head(tx, book, now)
    is_first = await queries.END.one(tx, patient_id, ident, how, replaced_by, now) is not None
    taken = {row.line for row in await queries.LINES.all(tx, patient_id, [ident]) if row.dispensed}
    stored = await queries.STANDING_LINES.all(tx, book, unit_key(ident), source.source_id, origin)
    rows = [_ended(row, source, taken) for row in stored]
    await write_unit(tx, patient_id, source, rows, unit=unit_key(ident), now=now)
    if is_first:
        await _tell(tx, patient_id, how, ident, now)


def _ended(row: queries.StandingRow, source: Source, taken: set[int]) -> NewResource:
    status = "stopped" if line_of(row.doc).number in taken else "cancelled"
    doc = row.doc.replace(_ACTIVE, f'"status":"{status}"', 1)
    made = view_again(StaleRow("MedicationRequest", row.id, row.title, row.item, doc, source.source_id))
    return msgspec.structs.replace(
        made, labels=row.labels, encounter_id=row.encounter_id, main_id=row.main_id
    )


async def end_late(tx: Tx, patient_id: UUID, unit: str | None, source: Source, now: datetime) -> None:
    """A line that waited for a reviewer came after its prescription had ended: it ends as the others did."""
    ident = prescription_of(unit)
    found = await queries.PRESCRIPTIONS.all(tx, patient_id, [ident]) if ident else []
    for one in found:
        if one.state != "standing":
            await _end_in_book(tx, patient_id, one.prescription_id, one.state, source, now, one.replaced_by)


async def undo(
    tx: Tx,
    book: UUID,
    origins: Collection[UUID],
    credentials: Collection[str],
    since: datetime,
    now: datetime,
) -> None:
    """What credentials sent since then is nobody's code any more, and what they ended stands again (S3).
    The rows of the record went back before. origins: whose rows lie in this book too."""
    chosen = [book, *sorted(origins)], list(credentials), since
    for one in await queries.FREE_CODES.all(tx, *chosen):
        if await queries.END.one(tx, one.patient_id, one.prescription_id, "withdrawn", None, now):
            await _tell(tx, one.patient_id, "withdrawn", one.prescription_id, now)
    for one in await queries.REOPEN_CODES.all(tx, *chosen):
        if await queries.REOPEN.one(tx, one.patient_id, one.prescription_id):
            await _tell(tx, one.patient_id, "reinstated", one.prescription_id, now)


async def undo_waiting(tx: Tx, credentials: Collection[str], since: datetime) -> None:
    """The same for prescriptions whose person is not certain."""
    await queries.FREE_WAITING.run(tx, list(credentials), since)
    await queries.REOPEN_WAITING.run(tx, list(credentials), since)


async def _move(tx: Tx, before: UUID, patient_id: UUID, ident: UUID) -> None:
    """The unit was written for somebody else before; what was handed out of it goes along."""
    for statement in (queries.MOVE, queries.MOVE_LINES, queries.MOVE_DISPENSES):
        await statement.run(tx, before, patient_id, ident)
    for statement in (queries.DROP_DISPENSES, queries.DROP_LINES, queries.DROP):
        await statement.run(tx, before, ident)


async def _tell(tx: Tx, patient_id: UUID, what: str, ident: UUID, now: datetime) -> None:
    told = await book_to_tell(tx, patient_id, now)
    ref = {"patient_id": str(told), "prescription_id": str(ident)}
    await emit(tx, told, f"ehr.prescription-{what}", ref, now)
