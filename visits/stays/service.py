"""Writing down who stays where, and the file of a day that the facility hands on itself.

Nothing is asked of the book but whose log it is: a number that nobody has costs the same statements, about a
stand-in (security.md S19).
"""

import hashlib
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from audit.service import record_act
from identity import budgets
from identity.identifiers import normal_identifier
from identity.merges.aliases import book_to_tell
from identity.people import number_owner
from kernel.clock import VIETNAM, end_of_day, start_of_day
from kernel.ids import uuid7, uuid8
from kernel.problems import Refused
from store.database import Tx
from store.fields import lookup_hashes, seal, unseal
from store.keys import KeyRing
from visits.lookup.service import Desk
from visits.stays import queries
from visits.stays.models import (
    AHEAD_MAX,
    BACK_MAX,
    LENGTH_MAX,
    NewStay,
    StayLine,
    StayNumberKind,
    StayRow,
    Who,
)
from visits.stays.problems import STAY_ENDED, STAY_INVALID, STAY_UNKNOWN

FIRST: Final = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))
_SEX: Final = {"male": "Nam", "female": "Nữ", "unknown": ""}
_PAPER: Final[dict[StayNumberKind, str]] = {
    "national-id": "Số định danh cá nhân",
    "passport": "Hộ chiếu",
    "old-id": "CMND",
}
HEAD: Final = ("Họ và tên", "Ngày sinh", "Giới tính", "Loại giấy tờ", "Số giấy tờ", "Phòng", "Từ", "Đến")


async def admit(tx: Tx, keys: KeyRing, desk: Desk, new: NewStay) -> UUID | Refused:
    """Write a stay down. Refused: too-many, stay-invalid. Returns stay_id."""
    spent = await _charge(tx, desk, budgets.STAYS_DAY)
    if spent is not None:
        return spent
    who = _checked(new.who)
    if isinstance(who, str):
        return Refused(problem=STAY_INVALID, where=who)
    if not desk.now - BACK_MAX <= new.since <= desk.now + AHEAD_MAX:
        return Refused(problem=STAY_INVALID, where="since")
    if new.until is not None and not new.since <= new.until <= new.since + LENGTH_MAX:
        return Refused(problem=STAY_INVALID, where="until")
    stay_id = uuid7(desk.now)
    patient_id = await _whose(tx, keys, who, stay_id, desk.now)
    await _insert(tx, keys, desk, stay_id, patient_id, who, new.room, new.since, new.until)
    return stay_id


async def move(tx: Tx, keys: KeyRing, desk: Desk, stay_id: UUID, room: str, at: datetime) -> UUID | Refused:
    """Another room from then on: this line ends and another begins. Returns its stay_id.

    Refused: too-many, stay-unknown, stay-ended, stay-invalid.
    """
    spent = await _charge(tx, desk, budgets.STAYS_DAY)
    if spent is not None:
        return spent
    row = await _open(tx, desk, stay_id, at)
    if isinstance(row, Refused):
        return row
    if row.until_at is not None and at > row.until_at:
        return Refused(problem=STAY_INVALID, where="at")
    await queries.END.run(tx, desk.facility_id, stay_id, at)
    following = uuid7(desk.now)
    who = _opened(keys, row)
    await _insert(tx, keys, desk, following, row.patient_id, who, room, at, row.until_at)
    return following


async def end(tx: Tx, desk: Desk, stay_id: UUID, at: datetime) -> Refused | None:
    """The person left then. Refused: stay-unknown, stay-ended, stay-invalid."""
    row = await _open(tx, desk, stay_id, at)
    if isinstance(row, Refused):
        return row
    await queries.END.run(tx, desk.facility_id, stay_id, at)
    await _log(tx, desk, row.patient_id, "visit:stay:end")
    return None


async def withdraw(tx: Tx, desk: Desk, stay_id: UUID) -> Refused | None:
    """It was a mistake: the line goes, the log keeps it. Refused: stay-unknown."""
    row = await queries.BY_ID.one(tx, desk.facility_id, stay_id)
    if row is None:
        return Refused(problem=STAY_UNKNOWN)
    await queries.DELETE.one(tx, desk.facility_id, stay_id)
    await _log(tx, desk, row.patient_id, "visit:stay:withdraw")
    return None


async def may_list(tx: Tx, desk: Desk) -> Refused | None:
    """Count a list that an account asks for, whatever is on it: nobody's log is to be filled at will.
    Refused: too-many."""
    return await _charge(tx, desk, budgets.STAY_LISTS_DAY)


async def of_day(
    tx: Tx, keys: KeyRing, desk: Desk, day: date, after: tuple[datetime, UUID], limit: int
) -> list[StayLine]:
    """A page of who stayed at any time of a day in Vietnam; everybody listed finds it in the log."""
    since, until = start_of_day(day), end_of_day(day)
    rows = await queries.LISTED.all(tx, desk.facility_id, since, until, *after, limit)
    # In the order of persons: two lists of two days at once wait for each other's logs, never in a circle.
    for patient_id in sorted({row.patient_id for row in rows}):
        await _log(tx, desk, patient_id, "visit:stay:list")
    return [
        StayLine(
            stay_id=row.stay_id,
            who=_opened(keys, row),
            room=row.room,
            since=row.from_at,
            until=row.until_at,
        )
        for row in rows
    ]


def line_of(stay: StayLine) -> tuple[str, ...]:
    """A line of the file, under HEAD."""
    who = stay.who
    return (
        who.name,
        "/".join(reversed((who.birth_date or "").split("-"))),
        _SEX[who.sex],
        _PAPER[who.number_kind] if who.number_kind is not None else "",
        who.number or "",
        stay.room,
        _local(stay.since),
        _local(stay.until),
    )


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove stays that were over before that time, at most `limit`."""
    return await queries.DELETE_OLD.one(tx, before, limit) or 0


def _local(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def _checked(who: Who) -> Who | str:
    """With the number in its one spelling; else the field that is missing or does not fit the other."""
    if who.number is None:
        return who if who.number_kind is None else "who.number"
    if who.number_kind is None:
        return "who.number_kind"
    normal = normal_identifier(who.number_kind, who.number)
    return "who.number" if normal is None else replace(who, number=normal)


async def _whose(tx: Tx, keys: KeyRing, who: Who, stay_id: UUID, now: datetime) -> UUID:
    kind, number = who.number_kind or "national-id", who.number or str(stay_id)
    owner = await number_owner(tx, keys, kind, number)
    _, hashed = lookup_hashes(keys, "stay", number)[0]
    stand_in = uuid8(hashlib.sha256(b"nobody" + hashed).digest())
    return await book_to_tell(tx, owner.patient_id if owner is not None else stand_in, now)


async def _charge(tx: Tx, desk: Desk, budget: budgets.Budget) -> Refused | None:
    return await budgets.charge_or_refuse(tx, budget, budgets.subject(desk.actor.actor_id.bytes), desk.now)


async def _open(tx: Tx, desk: Desk, stay_id: UUID, at: datetime) -> StayRow | Refused:
    row = await queries.BY_ID.one(tx, desk.facility_id, stay_id)
    if row is None:
        return Refused(problem=STAY_UNKNOWN)
    if row.until_at is not None and row.until_at <= desk.now:
        return Refused(problem=STAY_ENDED)
    if not row.from_at <= at <= desk.now + AHEAD_MAX:
        return Refused(problem=STAY_INVALID, where="at")
    return row


async def _insert(
    tx: Tx,
    keys: KeyRing,
    desk: Desk,
    stay_id: UUID,
    patient_id: UUID,
    who: Who,
    room: str,
    since: datetime,
    until: datetime | None,
) -> None:
    sealed = seal(keys, stay_id, "stay", "who_sealed", msgspec.json.encode(who).decode())
    whose = desk.facility_id, stay_id, patient_id, sealed
    await queries.INSERT.run(tx, *whose, room, since, until, desk.actor.actor_id, desk.now)
    await _log(tx, desk, patient_id, "visit:stay:create")


def _opened(keys: KeyRing, row: StayRow) -> Who:
    return msgspec.json.decode(unseal(keys, row.stay_id, "stay", "who_sealed", row.who_sealed), type=Who)


async def _log(tx: Tx, desk: Desk, patient_id: UUID, action: str) -> None:
    await record_act(tx, patient_id, desk.actor, action, request_id=desk.request_id, now=desk.now)
