"""A device becomes a kiosk with its code, and asks where it stands and what its counter's screen shows."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from identity.problems import TOO_MANY
from kernel.problems import Refused
from qr.points import PointCode
from qr.screens import screen_svg
from visits.counters.problems import FACILITY_UNCODED
from visits.counters.screens import screen_of
from visits.kiosk.enrolment import enrol, station_of
from visits.kiosk.problems import KIOSK_CODE_REFUSED, KIOSK_NOT_PLACED

TAGS: Final = ["device"]
KIOSK: Final = ("kiosk",)


class EnrolmentTyped(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: as the administrator's screen shows it; blanks and hyphens do not count."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]


class KioskCredentials(Struct, kw_only=True):
    """Shown once: the device keeps both and signs in with them at /v1/auth/token."""

    client_id: UUID
    client_secret: str


class KioskStation(Struct, kw_only=True):
    """Where the kiosk stands, as it greets people."""

    kiosk_id: UUID
    facility_name: str
    counter_code: str
    counter_name: str


class CounterScreen(Struct, kw_only=True):
    """qr: what the screen draws; draw_again_at: when it asks for the next one."""

    qr: str
    expires_at: datetime
    draw_again_at: datetime


@post(
    "/v1/kiosk/enrolments",
    actors=("public",),
    operation_id="enrol_kiosk",
    tags=TAGS,
    status_code=201,
    problems=(KIOSK_CODE_REFUSED, TOO_MANY),
)
async def enrol_kiosk(
    data: JSONBody[EnrolmentTyped], call: NamedDependency[Call]
) -> Response[KioskCredentials]:
    """Enrol a kiosk's device with the administrator's code: once, and the answer is not given again."""
    async with call.begin_public() as tx:
        done = await enrol(tx, data.code, call.network_prefix(), call.now)
    if isinstance(done, Refused):
        return answer(done)
    made = KioskCredentials(client_id=done.client_id, client_secret=done.client_secret)
    return answer(made, status=201)


@get(
    "/v1/kiosk",
    actors=KIOSK,
    operation_id="kiosk_station",
    tags=TAGS,
    problems=(KIOSK_NOT_PLACED,),
)
async def stand(call: NamedDependency[Call]) -> Response[KioskStation]:
    """The counter that this kiosk stands at."""
    async with call.begin() as (tx, actor):
        found = await station_of(tx, actor)
    if isinstance(found, Refused):
        return answer(found)
    counter = found.counter
    return answer(
        KioskStation(
            kiosk_id=found.kiosk_id,
            facility_name=found.facility_name,
            counter_code=counter.code,
            counter_name=counter.name,
        )
    )


@get(
    "/v1/kiosk/screen",
    actors=KIOSK,
    operation_id="kiosk_screen",
    tags=TAGS,
    problems=(KIOSK_NOT_PLACED, FACILITY_UNCODED),
)
async def screen(call: NamedDependency[Call]) -> Response[CounterScreen]:
    """The code of the kiosk's own counter, which a phone scans within 60 seconds."""
    shown = await _screen(call)
    if isinstance(shown, Refused):
        return answer(shown)
    return answer(CounterScreen(qr=shown.qr, expires_at=shown.expires_at, draw_again_at=shown.draw_again_at))


@get(
    "/v1/kiosk/screen.svg",
    actors=KIOSK,
    operation_id="kiosk_screen_picture",
    tags=TAGS,
    media_type="image/svg+xml",
    problems=(KIOSK_NOT_PLACED, FACILITY_UNCODED),
)
async def screen_picture(call: NamedDependency[Call]) -> Response[bytes]:
    """The code of the kiosk's own counter, drawn as SVG."""
    shown = await _screen(call)
    if isinstance(shown, Refused):
        return answer(shown)
    return answer(screen_svg(shown.qr).encode(), media_type="image/svg+xml")


async def _screen(call: Call) -> PointCode | Refused:
    async with call.begin() as (tx, actor):
        found = await station_of(tx, actor)
        if isinstance(found, Refused):
            return found
        return await screen_of(tx, call.keys, found.counter, call.now)


handlers: list[Any] = [enrol_kiosk, stand, screen, screen_picture]
