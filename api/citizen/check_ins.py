"""The phone checks in and out by a counter's code, for oneself or as a companion who takes a number."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.acting import begin_for
from api.facility.desk import CheckOut, check_out_view
from api.reading import Cursor, Limit
from api.request import Call, answer
from audit.service import record_act
from ehr.cases.reading import LAST_ID
from identity.problems import TOO_MANY
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from qr.problems import CODE_PROBLEMS
from qr.wrong import WRONG_SCANS, named
from visits.check_ins import leaving, reading
from visits.check_ins.models import CheckInShown, ListedCheckIn, PhoneScan, QrText
from visits.check_ins.phone import check_in_by_phone
from visits.check_ins.problems import CHECK_IN_UNKNOWN, CODE_SPENT, NOT_CHECKED_IN, OWN_PRESENCE
from visits.counters.problems import COUNTER_UNKNOWN

TAGS: Final = ["check-in"]
BASE: Final = "/v1/me/check-ins"
# Somebody who acts for the person looked.
READ: Final = "visit:check-in:read"


class CheckIns(Struct, kw_only=True):
    """The check-ins of the last 30 days, newest first. `next` is opaque; null on the last page."""

    items: list[CheckInShown]
    next: str | None


class CheckOutScan(Struct, kw_only=True, forbid_unknown_fields=True):
    """qr: of any counter of the facility, from its screen or a poster."""

    qr: QrText


@post(
    BASE,
    actors=("citizen",),
    operation_id="me_check_in",
    tags=TAGS,
    status_code=201,
    problems=(TOO_MANY, COUNTER_UNKNOWN, CODE_SPENT, *CODE_PROBLEMS, *WRONG_SCANS),
)
async def check_in(data: JSONBody[PhoneScan], call: NamedDependency[Call]) -> Response[CheckInShown]:
    """Scan the code of a counter.

    Its screen is presence and a number; a poster, what was scanned without a network, and whoever acts for
    the person get a number.

    A repeat with the same `client_id`, and the same counter within the window of its number, answer alike:
    the check-in and the number that stand.
    """
    async with begin_for(call, "check-in") as (tx, access):
        done = await check_in_by_phone(tx, call.keys, access, data, request_id=call.request_id, now=call.now)
        if isinstance(done, Refused):
            return answer(named(done, data.qr))
        row = await reading.one_of(tx, done.row.patient_id, done.row.check_in_id)
        assert row is not None, "it was recorded in this transaction"
        return answer(await reading.shown(tx, call.keys, row, call.now), status=201)


@get(BASE, actors=("citizen",), operation_id="me_check_ins", tags=TAGS, problems=(BAD_CURSOR,))
async def list_check_ins(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[CheckIns]:
    """Where the person checked in during the last 30 days.

    With how long each visit lasted, and how far each number is.
    """
    before = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else (call.now, LAST_ID)
    size = limit or PAGE_DEFAULT
    async with begin_for(call, "check-in") as (tx, access):
        if not access.is_own:
            who, trace = access.patient_id, call.request_id
            await record_act(tx, who, access.actor, READ, request_id=trace, now=call.now, on_behalf_of=who)
        rows = await reading.check_ins_of(tx, access, before, size + 1, call.now)
        items = [await reading.shown(tx, call.keys, row, call.now) for row in rows[:size]]
    return answer(CheckIns(items=items, next=_next(rows, size)))


@post(
    "/v1/me/check-outs",
    actors=("citizen",),
    operation_id="me_check_out",
    tags=TAGS,
    status_code=200,
    problems=(NOT_CHECKED_IN, OWN_PRESENCE, COUNTER_UNKNOWN, *CODE_PROBLEMS, *WRONG_SCANS),
)
async def check_out(data: JSONBody[CheckOutScan], call: NamedDependency[Call]) -> Response[CheckOut]:
    """Scan the code of a counter on the way out: the visit ends, and its numbers leave the line."""
    async with begin_for(call, "check-in") as (tx, access):
        done = await leaving.check_out_by_phone(
            tx, call.keys, access, data.qr, request_id=call.request_id, now=call.now
        )
    done = named(done, data.qr)
    return answer(done if isinstance(done, Refused) else check_out_view(done))


@post(
    BASE + "/{check_in_id:uuid}/leave",
    actors=("citizen",),
    operation_id="me_leave",
    tags=TAGS,
    status_code=204,
    problems=(CHECK_IN_UNKNOWN, OWN_PRESENCE),
)
async def leave(check_in_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Leave without a code at hand. Who acts for the person gives back the number that they took."""
    async with begin_for(call, "check-in") as (tx, access):
        done = await leaving.leave(tx, access, check_in_id, request_id=call.request_id, now=call.now)
    return answer(done, status=None if isinstance(done, Refused) else 204)


def _next(rows: list[ListedCheckIn], size: int) -> str | None:
    if len(rows) <= size:
        return None
    last = rows[size - 1]
    return encode_cursor(last.recorded_at.isoformat(), str(last.check_in_id))


handlers: list[Any] = [check_in, list_check_ins, check_out, leave]
