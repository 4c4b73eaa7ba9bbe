"""Whom a facility expects: its own enrolled people alone, longest overdue first.

The names are those that it typed in itself; nothing of what another facility knows is read for it.
"""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from ehr.entry.service import Desk
from ehr.programmes import queries
from ehr.programmes.models import Due, DuePage, EnrolmentRow, Programme
from ehr.programmes.names import PROGRAMME_VI
from ehr.programmes.paper import fold
from ehr.programmes.service import note_shown, opened
from identity.merges.aliases import survivor_of
from kernel.clock import local_day
from kernel.paging import PAGE_DEFAULT, decode_cursor, encode_cursor
from store.database import Tx
from store.keys import KeyRing

# How far ahead a list looks that names no day.
DAYS_AHEAD: Final = 14
FILE_MAX: Final = 2_000
_START: Final = (date(1, 1, 1), UUID(int=0))
HEADER: Final = (
    "ma_ho_so",
    "chuong_trinh",
    "ho_ten",
    "ngay_sinh",
    "gioi_tinh",
    "giai_doan",
    "so_so",
    "ngay_vao",
    "lan_kham_cuoi",
    "hen_kham",
    "qua_han_ngay",
)
_SEX_VI: Final = {"male": "Nam", "female": "Nữ", "unknown": ""}


async def page(
    tx: Tx,
    keys: KeyRing,
    desk: Desk,
    programme: Programme | None,
    until: date | None,
    cursor: str | None,
    limit: int | None,
    *,
    undated: bool = False,
) -> DuePage:
    """One page; each person on it reads in the own log that the list was opened. Raises `bad-cursor`.

    undated: those instead who are followed and have no day to come next. Pages may be shorter than asked for.
    """
    today, size = local_day(desk.now), limit or PAGE_DEFAULT
    after = decode_cursor(cursor, tuple[date, UUID]) if cursor else _START
    rows = await _rows(tx, desk, programme, until, after, size + 1, undated=undated)
    last = rows[size - 1] if len(rows) > size else None
    shown = await _of_the_living(tx, rows[:size])
    await note_shown(tx, desk, shown)
    following = encode_cursor(str(last.next_visit_on or _START[0]), str(last.enrolment_id)) if last else None
    return DuePage(items=[due_of(keys, row, today) for row in shown], as_of=today, next=following)


async def table(
    tx: Tx, keys: KeyRing, desk: Desk, programme: Programme | None, until: date | None, *, undated: bool
) -> list[tuple[str | int | None, ...]]:
    """The same as lines of a file, at most FILE_MAX of them."""
    rows = await _of_the_living(
        tx, await _rows(tx, desk, programme, until, _START, FILE_MAX, undated=undated)
    )
    await note_shown(tx, desk, rows)
    today = local_day(desk.now)
    return [HEADER, *(_line(due_of(keys, row, today)) for row in rows)]


async def _rows(
    tx: Tx,
    desk: Desk,
    programme: Programme | None,
    until: date | None,
    after: tuple[date, UUID],
    limit: int,
    *,
    undated: bool,
) -> list[EnrolmentRow]:
    if undated:
        return await queries.UNDATED_PAGE.all(tx, desk.facility.facility_id, programme, after[1], limit)
    last = until or local_day(desk.now) + timedelta(days=DAYS_AHEAD)
    return await queries.DUE_PAGE.all(tx, desk.facility.facility_id, programme, last, *after, limit)


async def _of_the_living(tx: Tx, rows: list[EnrolmentRow]) -> list[EnrolmentRow]:
    """Nobody is sent to the house of somebody whose death was reported, wherever that was (security.md S18);
    the list says nothing of why a person is not on it (S19)."""
    known = {row.patient_id for row in rows if row.patient_id is not None}
    gone = {one for one in known if await queries.IS_GONE.one(tx, await survivor_of(tx, one))}
    return [row for row in rows if row.patient_id not in gone]


def due_of(keys: KeyRing, row: EnrolmentRow, today: date) -> Due:
    doc = fold(opened(keys, row))
    assert doc is not None
    person, body = doc.body.person, doc.body
    return Due(
        enrolment_id=row.enrolment_id,
        programme=row.programme,
        programme_vi=PROGRAMME_VI[row.programme],
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
        stage=body.stage,
        register_number=body.register_number,
        enrolled_on=body.enrolled_on,
        last_visit_on=doc.visits[-1].body.visited_on if doc.visits else None,
        next_visit_on=row.next_visit_on,
        days_overdue=(today - row.next_visit_on).days if row.next_visit_on else None,
    )


def _line(due: Due) -> tuple[str | int | None, ...]:
    return (
        str(due.enrolment_id),
        due.programme_vi,
        due.name,
        due.birth_date,
        _SEX_VI[due.sex],
        due.stage,
        due.register_number,
        due.enrolled_on.isoformat(),
        due.last_visit_on.isoformat() if due.last_visit_on else None,
        due.next_visit_on.isoformat() if due.next_visit_on else None,
        due.days_overdue,
    )
