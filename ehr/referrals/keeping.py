"""Letters follow their row of the record: written, sent again, taken back, restored; and a visit at the place
that a letter goes to is its answer that the person was seen."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from ehr.models import NewResource, Source
from ehr.referrals import queries
from ehr.referrals.models import Referral, State
from identity.register.facilities import facility_by_code
from kernel.clock import local_day
from kernel.ids import uuid7
from store.database import Tx

REQUEST = "ServiceRequest"


async def keep_letters(
    tx: Tx,
    book: UUID,
    person: UUID,
    source: Source,
    rows: Iterable[NewResource],
    fresh: Iterable[NewResource],
    now: datetime,
) -> None:
    """Keep the letters of a unit that was just written into `book`, and see whom it is a visit of. person:
    whose rows they are, which a merge and its end do not change. fresh: the rows that are new or changed and
    could answer a letter; without a letter or a visit nothing is asked."""
    letters = [row for row in rows if row.letter is not None]
    if letters and source.facility_id is not None:
        known = await queries.OF_RECORDS.all(tx, book, [row.id for row in letters])
        for row in letters:
            await _keep(tx, book, person, source.facility_id, row, {one.record_id: one for one in known}, now)
    began = [row.eff for row in fresh if row.rtype == "Encounter" and row.eff is not None]
    if began and source.facility_id is not None:
        await _seen(tx, book, source.facility_id, max(began), now)


async def _keep(
    tx: Tx,
    book: UUID,
    person: UUID,
    sender_id: UUID,
    row: NewResource,
    known: dict[str, Referral],
    now: datetime,
) -> None:
    letter, before = row.letter, known.get(row.id)
    assert letter is not None
    place = await facility_by_code(tx, letter.receiver_code, local_day(now)) if letter.receiver_code else None
    receiver_id = place.facility_id if place and place.facility_id != sender_id else None
    referral_id = before.referral_id if before else uuid7(now)
    state: State = before.state if before else "sent"
    told = (letter.receiver_code, letter.number, letter.issued_on)
    await queries.PUT.run(tx, book, row.id, referral_id, sender_id, receiver_id, *told)
    if before is not None and before.receiver_id != receiver_id:
        state = "sent"
        await queries.BEGIN_ANEW.run(tx, book, row.id)
        if before.receiver_id is not None:
            await queries.GONE_AT_FACILITY.run(tx, before.receiver_id, "in", referral_id, True, now)
    tail = (letter.number, letter.issued_on, letter.reason, state, now)
    await queries.PUT_AT_FACILITY.run(tx, sender_id, "out", referral_id, person, receiver_id, *tail)
    if receiver_id is not None:
        await queries.PUT_AT_FACILITY.run(tx, receiver_id, "in", referral_id, person, sender_id, *tail)


async def _seen(tx: Tx, book: UUID, facility_id: UUID, began: datetime, now: datetime) -> None:
    day = local_day(began).isoformat()
    for one in await queries.AWAITED.all(tx, book, facility_id, day):
        moved = await queries.MOVE.one(tx, book, one.referral_id, "seen", began, None, one.state)
        if moved is None:
            continue
        for place, side in ((facility_id, "in"), (one.sender_id, "out")):
            await queries.MOVE_AT_FACILITY.run(tx, place, side, one.referral_id, "seen", None, now)


async def follow(tx: Tx, book: UUID, standing: list[str], gone: list[str], now: datetime) -> None:
    """Letters whose rows were taken back leave both facilities' lists; those restored are in them again."""
    for ids, is_gone in ((gone, True), (standing, False)):
        for one in await queries.OF_RECORDS.all(tx, book, ids) if ids else ():
            await queries.GONE_AT_FACILITY.run(tx, one.sender_id, "out", one.referral_id, is_gone, now)
            if one.receiver_id is not None:
                await queries.GONE_AT_FACILITY.run(tx, one.receiver_id, "in", one.referral_id, is_gone, now)


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove from facilities' lists what left them before that time, at most `limit` lines."""
    return await queries.FORGET_GONE.one(tx, before, limit) or 0
