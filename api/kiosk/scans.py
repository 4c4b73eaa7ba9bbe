"""Whoever stands before the kiosk shows a code or a card and gets a number."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.kiosk.device import KIOSK, TAGS
from api.request import Call, answer
from identity.problems import TOO_MANY
from kernel.problems import Refused
from qr.problems import SCAN_PROBLEMS
from qr.tokens import TEXT_MAX
from visits.check_ins.problems import CODE_SPENT
from visits.counters.problems import COUNTER_UNKNOWN
from visits.kiosk.enrolment import station_of
from visits.kiosk.models import Shown
from visits.kiosk.problems import KIOSK_NOT_PLACED
from visits.kiosk.scanning import show


class KioskScan(Struct, kw_only=True, forbid_unknown_fields=True):
    """scan: the text that the scanner handed over, as it is. It is neither stored nor logged."""

    scan: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class KioskNumber(Struct, kw_only=True):
    """What the kiosk shows or prints; it names nobody. is_check_in: the person's own fresh code was scanned;
    a card, whoever's it is, gives a number alone. state called: the number was called already, and is not
    called again: the screen sends whoever stands there to the counter."""

    number: int
    day: date
    counter_id: UUID
    counter_code: str
    valid_until: datetime
    state: Literal["waiting", "called"]
    is_check_in: bool


@post(
    "/v1/kiosk/scans",
    actors=KIOSK,
    operation_id="kiosk_scan",
    tags=TAGS,
    status_code=200,
    problems=(KIOSK_NOT_PLACED, COUNTER_UNKNOWN, TOO_MANY, CODE_SPENT, *SCAN_PROBLEMS),
)
async def scan(data: JSONBody[KioskScan], call: NamedDependency[Call]) -> Response[KioskNumber]:
    """Take a number at this kiosk's counter; a repeat within the number's 30 minutes gets the same one."""
    async with call.begin() as (tx, actor):
        station = await station_of(tx, actor)
        if isinstance(station, Refused):
            return answer(station)
        done = await show(tx, call.keys, actor, station, data.scan, request_id=call.request_id, now=call.now)
    return answer(done if isinstance(done, Refused) else _number(done))


def _number(shown: Shown) -> KioskNumber:
    ticket = shown.ticket
    return KioskNumber(
        number=ticket.number,
        day=ticket.day,
        counter_id=ticket.counter_id,
        counter_code=ticket.counter_code,
        valid_until=ticket.valid_until,
        state="called" if ticket.is_called else "waiting",
        is_check_in=shown.is_check_in,
    )


handlers: list[Any] = [scan]
