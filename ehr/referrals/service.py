"""Reading and moving referrals: the receiver says how far a letter is, its sender and its person see it.

A facility learns of a letter what stands on its envelope; whose it is, and what it says, the person shows
(security.md S19). Nothing of a record is read without a grant.
"""

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from audit.service import record_act
from ehr.merges.service import book_of
from ehr.reads.models import Built
from ehr.reads.raw import encode
from ehr.reads.scope import Scope, scope_of, scope_of_all
from ehr.referrals import queries
from ehr.referrals.models import (
    Act,
    Booked,
    FacilityReferral,
    FacilityReferrals,
    OwnReferral,
    OwnReferrals,
    Referral,
    SentHere,
    Side,
    State,
)
from ehr.referrals.policy import ELSEWHERE_VI, STATES_VI, is_bookable, may_move, unseen
from ehr.referrals.problems import BAD_BOOKING, REFERRAL_MOVED_ON, UNKNOWN_REFERRAL
from ehr.visibility.models import EVERYBODY
from identity.merges.aliases import book_to_tell
from identity.register.facilities import facility_by_id
from kernel.access import Access, Actor
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

LETTERS_MAX: Final = 200
LAST: Final = UUID(int=2**128 - 1)
_VERBS: Final[dict[Act, str]] = {
    "received": "receive",
    "booked": "book",
    "seen": "see",
    "answered": "answer",
}
# What its person would otherwise have to look for.
_TOLD: Final[frozenset[Act]] = frozenset({"booked", "answered"})


async def read_own(tx: Tx, access: Access, now: datetime) -> Built:
    """The letters whose rows this access shows, newest first."""
    ids = await queries.VISIBLE.all(tx, *scope_of(access, now), LETTERS_MAX)
    found = await of_records(tx, access, ids, now)
    found.sort(key=lambda one: (one.issued_on, one.referral_id), reverse=True)
    places = [place for one in found for place in (one.sender_id, one.receiver_id)]
    names = await names_of(tx, places)
    page = OwnReferrals(items=[_own(one, names) for one in found])
    return Built(encode(page), [("ServiceRequest", one.record_id) for one in found])


async def of_records(tx: Tx, access: Access, ids: list[str], now: datetime) -> list[Referral]:
    """The letters of these rows, which this access shows; not of a visit that it does not."""
    found = await queries.OF_RECORDS.all(tx, access.patient_id, ids) if ids else []
    if access.is_own or not found:
        return found
    return await _without(tx, found, scope_of(access, now))


async def of_records_for_all(tx: Tx, book: UUID, ids: list[str], now: datetime) -> list[Referral]:
    """The same as anybody may be told it who holds the letter."""
    found = await queries.OF_RECORDS.all(tx, book, ids)
    return await _without(tx, found, scope_of_all(book, now))


async def _without(tx: Tx, found: list[Referral], scope: Scope) -> list[Referral]:
    hidden = set(await queries.UNSEEN.all(tx, *scope, [one.record_id for one in found]))
    return [unseen(one) if one.record_id in hidden else one for one in found]


async def step_at(tx: Tx, facility_id: UUID, referral_id: UUID) -> State | None:
    """How far a letter is that was sent to this facility; None for every other."""
    held = await queries.HELD_AT_FACILITY.one(tx, facility_id, referral_id)
    return held.state if held else None


async def booked(tx: Tx, access: Access, now: datetime) -> list[Booked]:
    """The booked days of the letters whose rows this access shows, also those that are over."""
    ids = await queries.VISIBLE.all(tx, *scope_of(access, now), LETTERS_MAX)
    found = await queries.OF_RECORDS.all(tx, access.patient_id, ids) if ids else []
    days = [(one, one.booked_for) for one in found if one.booked_for is not None]
    names = await names_of(tx, [one.receiver_id for one, _ in days])
    return [
        Booked(
            record_id=one.record_id,
            referral_id=one.referral_id,
            day=day,
            receiver_id=one.receiver_id,
            receiver=names.get(one.receiver_id),
            is_expected=one.state == "booked",
        )
        for one, day in days
    ]


async def list_at(
    tx: Tx, facility_id: UUID, side: Side, number: str | None, before: UUID | None, limit: int
) -> tuple[FacilityReferrals, UUID | None]:
    """A page of the letters to ("in") or from ("out") a facility; and where the next page starts."""
    rows = await queries.AT_FACILITY.all(tx, facility_id, side, number, before or LAST, limit + 1)
    if side == "out":
        rows = [await _as_sender(tx, row) for row in rows]
    names = await names_of(tx, [row.other_id for row in rows])
    items = [
        SentHere(
            referral_id=row.referral_id,
            number=row.number,
            other=names.get(row.other_id),
            issued_on=row.issued_on,
            reason=row.reason,
            state=row.state,
            booked_for=row.booked_for,
            changed_at=row.changed_at,
        )
        for row in rows[:limit]
    ]
    return FacilityReferrals(items=items, next=None), items[-1].referral_id if len(rows) > limit else None


async def move(
    tx: Tx,
    actor: Actor,
    facility_id: UUID,
    referral_id: UUID,
    act: Act,
    booked_for: date | None,
    *,
    request_id: str,
    now: datetime,
) -> Refused | None:
    """Say how far a letter sent to this facility is. Whose it is reads it in the log, and is told of a
    booking and of the answer."""
    if not is_bookable(booked_for, act, local_day(now)):
        return Refused(problem=BAD_BOOKING, where="booked_for")
    held = await queries.HELD_AT_FACILITY.one(tx, facility_id, referral_id)
    if held is None:
        return Refused(problem=UNKNOWN_REFERRAL)
    if not may_move(held.state, act):
        return Refused(problem=REFERRAL_MOVED_ON)
    book, _ = await book_of(tx, held.patient_id)
    # The person's end is written first, as an import does it; whoever was quicker is not overtaken.
    if await queries.MOVE.one(tx, book, referral_id, act, now, booked_for, held.state) is None:
        return Refused(problem=REFERRAL_MOVED_ON)
    for place, side in ((facility_id, "in"), (held.other_id, "out")):
        await queries.MOVE_AT_FACILITY.run(tx, place, side, referral_id, act, booked_for, now)
    told = await book_to_tell(tx, held.patient_id, now)
    await record_act(tx, told, actor, f"referral:letter:{_VERBS[act]}", request_id=request_id, now=now)
    if act in _TOLD:
        await emit(tx, told, "ehr.referral-moved", {"referral_id": str(referral_id)}, now)
    return None


async def _as_sender(tx: Tx, row: FacilityReferral) -> FacilityReferral:
    """A visit that the person hides from everybody tells the sender nothing, nor does its time."""
    if row.state != "seen":
        return row
    book, _ = await book_of(tx, row.patient_id)
    letter = await queries.UNSEEN_BY_ALL.one(tx, book, row.referral_id, [EVERYBODY])
    if letter is None:
        return row
    moved_at = letter.received_at or datetime.fromtimestamp((row.referral_id.int >> 80) / 1000, UTC)
    return replace(row, state=unseen(letter).state, changed_at=moved_at)


def _own(one: Referral, names: dict[UUID | None, str]) -> OwnReferral:
    return OwnReferral(
        referral_id=one.referral_id,
        document_id=one.record_id,
        number=one.number,
        issued_on=one.issued_on,
        sender=names.get(one.sender_id),
        receiver=names.get(one.receiver_id),
        receiver_code=one.receiver_code,
        state=one.state,
        state_vi=STATES_VI[one.state] if one.receiver_id else ELSEWHERE_VI,
        received_at=one.received_at,
        booked_for=one.booked_for,
        seen_at=one.seen_at,
        answered_at=one.answered_at,
    )


async def names_of(tx: Tx, places: list[UUID | None]) -> dict[UUID | None, str]:
    """The names of facilities by their ids."""
    found = [await facility_by_id(tx, place) for place in sorted({one for one in places if one})]
    return {facility.facility_id: facility.name for facility in found if facility}
