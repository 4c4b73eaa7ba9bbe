"""A batch in one transaction: rows, hours, latest values, alerts and the answer, all or nothing.

The order of what arrives does not matter: the same items end in the same rows, hours, latest values and
alerts, whatever the order, the split into batches and the number of repeats, from one phone or from several.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from audit.service import record_act
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from vitals.accepting import clock_of, waited
from vitals.alerts.judging import judge
from vitals.decoding import Decoded
from vitals.intake import queries, removals, samples, series, sources
from vitals.intake.models import Answered, Tomb
from vitals.intake.settling import settle
from vitals.intake.work import Work, begin
from vitals.models import Accepted, SampleRow, SeriesRow
from vitals.problems import BATCH_SEQ_REUSED
from vitals.wire import Ack, Next

# The same ids for the third time, and nothing of them new: the phone is told to go on.
_IN_VAIN: Final = 3

Row = TypeVar("Row", SampleRow, SeriesRow)


class Repeat(NamedTuple):
    """The answer to a batch that came before, byte for byte."""

    ack: Ack


async def answered_before(
    tx: Tx, patient_id: UUID, device: str, seq: int, body_sha256: bytes
) -> Ack | Refused | None:
    """The answer to a batch that was stored already, without putting its items through the gate again; None:
    it was not yet. Refused: batch-seq-reused."""
    known = await queries.ANSWERED.one(tx, patient_id, device, seq)
    return None if known is None else await _repeated(tx, patient_id, device, seq, body_sha256, known)


async def clock_now(
    tx: Tx, patient_id: UUID, batch: Decoded, said_at: datetime | None, received: datetime
) -> timedelta:
    """By how much the clock of a batch's phone is behind. said_at: what that clock said when it sent this
    very request, where it said so."""
    before = None
    if said_at is None and waited(received, batch.sent_at):
        found = await queries.CLOCK_BEFORE.one(tx, patient_id, batch.device)
        before = None if found is None else timedelta(milliseconds=found)
    return clock_of(received, batch.sent_at, said_at, before)


async def record_batch(
    tx: Tx, access: Access, birth: str | None, accepted: Accepted, *, request_id: str, now: datetime
) -> Ack | Refused:
    """`store_batch` with its row in the person's log; a repeat, which changes nothing, writes none."""
    acting = None if access.is_own else access.actor.actor_id
    stored = await _store(tx, access.patient_id, birth, accepted, now, acting)
    if isinstance(stored, Ack):
        await record_act(
            tx,
            access.patient_id,
            access.actor,
            "vitals:batch:store",
            request_id=request_id,
            now=now,
            on_behalf_of=access.on_behalf_of,
        )
        return stored
    return stored.ack if isinstance(stored, Repeat) else stored


async def store_batch(
    tx: Tx,
    patient_id: UUID,
    birth: str | None,
    accepted: Accepted,
    now: datetime,
    *,
    acting: UUID | None = None,
) -> Ack | Refused:
    """Store what the gate let through, and answer. The very same batch again is answered as before.

    birth: FHIR partial date of the person, for the rules of an age. acting: who sends it for the person.
    Refused: batch-seq-reused, vital-sources-full.
    """
    stored = await _store(tx, patient_id, birth, accepted, now, acting)
    return stored.ack if isinstance(stored, Repeat) else stored


async def _store(
    tx: Tx, patient_id: UUID, birth: str | None, accepted: Accepted, now: datetime, acting: UUID | None = None
) -> Ack | Repeat | Refused:
    work = await begin(
        tx,
        patient_id,
        now,
        device_id=accepted.device,
        seq=accepted.seq,
        clock_offset=timedelta(milliseconds=accepted.clock_offset_ms),
        span=max(map(series.span_of, accepted.series), default=timedelta()),
        acting=acting,
    )
    idents = _idents(accepted)
    opening = await queries.OPENING.one(tx, patient_id, accepted.device, accepted.seq, idents)
    assert opening is not None
    if opening.sha256 is not None and opening.ack is not None:
        known = Answered(opening.sha256, opening.ack)
        again = await _repeated(tx, patient_id, accepted.device, accepted.seq, accepted.sha256, known)
        return Repeat(again) if isinstance(again, Ack) else again
    alerts = await _take_in(work, accepted, opening.tombs, birth)
    if isinstance(alerts, Refused):
        return alerts
    ids_sha256 = sha256(b"".join(one.bytes for one in idents)).digest()
    ack = _ack(work, accepted, alerts)
    if idents and not (work.stored or work.updated or work.deleted):
        await _hint(work, ack, ids_sha256)
    await queries.CLOSE_BATCH.run(
        tx,
        *(patient_id, accepted.device, accepted.seq, accepted.sha256, ids_sha256),
        *(msgspec.json.encode(ack).decode(), accepted.clock_offset_ms, now, work.again or None),
    )
    return ack


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Answers given before; a batch that comes again after that finds its items there."""
    return await queries.FORGET.one(tx, before, limit) or 0


async def _take_in(
    work: Work, accepted: Accepted, tombs: str | None, birth: str | None
) -> list[UUID] | Refused:
    refused = await sources.learn(work, accepted.sources, accepted.clock_offset_ms)
    if refused is not None:
        return refused
    out = await _kept_out(work, accepted, tombs)
    if rows := _highest(work, accepted.samples, out):
        await samples.store(work, rows)
    if records := _highest(work, accepted.series, out):
        await series.store(work, records)
    await removals.delete_sent(work, accepted.deleted)
    for window in accepted.windows:
        await removals.reconcile(work, window)
    touched = await settle(work)
    return await judge(work.tx, work.patient_id, birth, touched, work.now) if touched else []


def _idents(accepted: Accepted) -> list[UUID]:
    """All ids that the batch names, as it names them."""
    named: list[UUID] = [row.id for row in accepted.samples]
    named += [row.id for row in accepted.series]
    named += [row.id for row in accepted.deleted]
    return named + [one.id for one in accepted.rejected if one.id is not None]


async def _kept_out(work: Work, accepted: Accepted, tombs: str | None) -> dict[UUID, int | None]:
    """Ids that a tomb keeps out, up to which version. What an earlier window of the same device took out is
    let in: the device has the item again."""
    if tombs is None:
        return {}
    out: dict[UUID, int | None] = {}
    lifted: list[UUID] = []
    sent = {row.id for row in accepted.samples} | {row.id for row in accepted.series}
    for tomb in msgspec.json.decode(tombs, type=list[Tomb]):
        if tomb.reason == "window" and tomb.device_id == work.device_id and tomb.seq < work.seq:
            lifted += [tomb.id] if tomb.id in sent else []
            if tomb.deleted_ver is not None:
                out[tomb.id] = tomb.deleted_ver
        else:
            out[tomb.id] = tomb.ver
    if lifted:
        await queries.LIFT_TOMBS.run(work.tx, work.patient_id, lifted)
    if lowered := [ident for ident in lifted if ident in out]:
        await queries.LOWER_TOMBS.run(work.tx, work.patient_id, lowered)
    return out


def _highest(work: Work, rows: Sequence[Row], out: dict[UUID, int | None]) -> Sequence[Row]:
    """One row an id, its highest version, without what is kept out; counts what falls away."""
    best: dict[UUID, Row] = {}
    for row in rows:
        before = best.setdefault(row.id, row)
        if before is not row and _replaces(work, row, before):
            best[row.id] = row
    kept = [row for row in best.values() if not _is_out(row, out)] if out else list(best.values())
    work.duplicate += len(best) - len(kept)
    return kept


def _replaces(work: Work, row: Row, before: Row) -> bool:
    """Of two items of one batch with the same id, whether the later takes the place; counts the other."""
    same = row._replace(i=0, source=0, z=0) == before._replace(i=0, source=0, z=0)
    if row.ver == before.ver and not same:
        work.refuse("samples" if isinstance(row, SampleRow) else "series", row.i, row.id)
        return False
    work.duplicate += 1
    places = work.places
    return row.ver > before.ver or (same and work.goes_before(places[row.source], places[before.source]))


def _is_out(row: Row, out: dict[UUID, int | None]) -> bool:
    if row.id not in out:
        return False
    ver = out[row.id]
    return ver is None or ver >= row.ver


def _ack(work: Work, accepted: Accepted, alerts: Iterable[UUID]) -> Ack:
    return Ack(
        seq=accepted.seq,
        stored=work.stored,
        updated=work.updated,
        duplicate=work.duplicate,
        deleted=work.deleted,
        points=work.points,
        rejected=[*accepted.rejected, *work.rejected],
        points_dropped=list(accepted.points_dropped),
        cursors=accepted.cursors,
        clock_offset_ms=accepted.clock_offset_ms,
        alerts=list(alerts),
        next=Next(),
    )


async def _repeated(
    tx: Tx, patient_id: UUID, device: str, seq: int, body_sha256: bytes, known: Answered
) -> Ack | Refused:
    if known.sha256 != body_sha256:
        return Refused(problem=BATCH_SEQ_REUSED)
    ack = msgspec.json.decode(known.ack, type=Ack)
    repeats = await queries.REPEATED.one(tx, patient_id, device, seq) or 0
    if repeats >= _IN_VAIN - 1:
        ack.next.hint = "advance"
    return ack


async def _hint(work: Work, ack: Ack, ids_sha256: bytes) -> None:
    """Nothing was new: has the device sent the same ids with its batches just before?"""
    before = await queries.IDS_BEFORE.all(work.tx, work.patient_id, work.device_id, work.seq, _IN_VAIN - 1)
    if before == [ids_sha256] * (_IN_VAIN - 1):
        ack.next.hint = "advance"
