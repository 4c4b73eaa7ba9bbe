"""Numbers of one's own facility: by which ways data came, how look-ups end, what was typed and no visit
followed, and who read how much."""

from datetime import date, timedelta
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk
from api.pages.facility.words import CHANNELS, LOOK_UP_ENDS
from api.request import Call
from kernel.clock import local_day

TITLE: Final = ("Số liệu của cơ sở", "Figures of the facility")


@get("/facility/figures", operation_id="page_facility_figures", **FACILITY)
async def show_figures(call: NamedDependency[Call]) -> Response[bytes]:
    """This month so far, and the file of the month before."""
    return await _figures(await open_desk(call))


@post("/facility/figures", operation_id="page_facility_figures_more", **FACILITY)
async def more(call: NamedDependency[Call]) -> Response[bytes]:
    """The next page of the numbers that were typed."""
    visit = await open_desk(call)
    form = await visit.form()
    return await _figures(visit, form.get("cursor"))


async def _figures(visit: DeskVisit, cursor: str | None = None) -> Response[bytes]:
    today = local_day(visit.call.now)
    month = today.isoformat()[:7]
    unmet = await visit.read("/v1/facility/arrivals/unmet", cursor=cursor)
    return visit.show(
        "facility/figures.html",
        TITLE,
        nav="figures",
        delivered=await visit.read("/v1/facility/deliveries"),
        looked_up=(await visit.read(f"/v1/facility/look-ups/success/{month}"))["all"],
        unmet=unmet["items"],
        next=unmet["next"],
        month=today.replace(day=1),
        before=month_before(today),
        channels=CHANNELS,
        ends=LOOK_UP_ENDS,
    )


@get("/facility/figures/{month:str}/accountability", operation_id="page_facility_accountability", **FACILITY)
async def accountability(month: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """The file of who read how much in a month that is over; no patient is in it."""
    visit = await open_desk(call)
    return visit.download(f"/v1/facility/accountability/{month}")


def month_before(day: date) -> date:
    """The first day of the month before."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


handlers: list[Any] = [show_figures, more, accountability]
