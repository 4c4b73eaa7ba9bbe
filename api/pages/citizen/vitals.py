"""What was measured at home: the newest numbers, alerts, and each kind over time."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen import vitals_view as view
from api.pages.citizen.vitals_typed_view import TYPED, typed_rows
from api.pages.showing import CITIZEN, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import Refused, refuse

TITLE = ("Chỉ số đo", "Measurements")
# So many of the newest readings are looked through for those that were typed in.
READINGS = 50
Kind = FromPath[Annotated[int, PathParameter(ge=1, le=999)]]


@get("/me/vitals", operation_id="page_me_vitals", **CITIZEN)
async def vitals(call: NamedDependency[Call]) -> Response[bytes]:
    """The newest of each kind, what lies outside the limits, and this week beside the last."""
    visit = open_visit(call, "citizen")
    return await _overview(visit)


@post("/me/vitals/seen/{alert_id:uuid}", operation_id="page_me_alert_seen", **CITIZEN)
async def seen(alert_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Say that an alert was seen, as severe as the page showed it."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    severity = "critical" if form.get("severity") == "critical" else "warn"
    done = await visit.send("POST", f"/v1/me/alerts/{alert_id}/ack", {"severity": severity})
    return await _overview(visit, done) if isinstance(done, Refused) else visit.go("/me/vitals")


async def _overview(visit: Visit, problem: Refused | None = None) -> Response[bytes]:
    english = visit.display.language == "en"
    latest = await visit.read("/v1/me/vitals/latest")
    kinds = {one["kind"] for one in latest["items"]}
    alerts = await visit.read("/v1/me/alerts")
    week = await visit.read("/v1/me/vitals/week")
    pressure = await visit.read("/v1/me/vitals/bp-home-average") if "blood-pressure" in kinds else None
    return visit.show(
        "citizen/vitals.html",
        TITLE,
        nav="vitals",
        status=problem.problem.status if problem else 200,
        problem=problem,
        latest=view.latest_rows(latest, english=english),
        beside=latest["beside"],
        alerts=view.alert_rows(alerts["alerts"], english=english),
        alerts_notice=alerts["notice"],
        weeks=view.week_rows(week, english=english),
        pressure=pressure,
    )


@get("/me/vitals/{ident:int}", operation_id="page_me_vital", **CITIZEN)
async def kind(ident: Kind, call: NamedDependency[Call]) -> Response[bytes]:
    """One kind in the last month."""
    return await _one(open_visit(call, "citizen"), ident, "month")


@get("/me/vitals/{ident:int}/{span:str}", operation_id="page_me_vital_span", **CITIZEN)
async def kind_span(ident: Kind, span: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """One kind in the last day, week, month or year."""
    return await _one(open_visit(call, "citizen"), ident, span)


@post("/me/vitals/{ident:int}/delete", operation_id="page_me_vital_delete", **CITIZEN)
async def delete_typed(ident: Kind, call: NamedDependency[Call]) -> Response[bytes]:
    """Take a reading out that was typed in, for good. Only in the own book."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    done = await visit.send("POST", "/v1/me/vitals/deletions", {"ids": [form.get("reading_id", "")]})
    if isinstance(done, Refused):
        return await _one(visit, ident, "month", done)
    return visit.go(f"/me/vitals/{ident}")


async def _typed(visit: Visit, ident: int, name: str, window: dict[str, str]) -> list[dict[str, str]]:
    """What the person may take out again: readings typed in by hand, in the own book."""
    if visit.book or ident not in TYPED:
        return []
    found = await visit.ask(f"/v1/me/vitals/{name}/readings", limit=READINGS, **window)
    is_english = visit.display.language == "en"
    return [] if isinstance(found, Refused) else typed_rows(found, english=is_english)


async def _one(visit: Visit, ident: int, span: str, problem: Refused | None = None) -> Response[bytes]:
    english, name = visit.display.language == "en", view.kind_name(ident)
    if name is None or span not in view.SPANS:
        refuse(NOT_FOUND)
    window = view.span_until(visit.call.now, span)
    chart = await visit.read(f"/v1/me/vitals/{name}", **window)
    picture = await visit.picture(f"/v1/me/vitals/{name}/chart.svg", **window)
    is_glucose = name == "glucose"
    profile = view.profile_words(await visit.read("/v1/me/vitals/agp")) if is_glucose else None
    shape = await visit.picture("/v1/me/vitals/agp.svg") if profile else None
    return visit.show(
        "citizen/vital.html",
        TITLE,
        nav="vitals",
        status=problem.problem.status if problem else 200,
        problem=problem,
        typed=await _typed(visit, ident, name, window),
        can_type=ident in TYPED,
        ident=ident,
        span=span,
        spans=view.SPANS,
        heading=view.title_of(chart, english=english),
        unit=view.unit_of(chart["unit"], english=english),
        rows=view.chart_rows(chart),
        picture=None if isinstance(picture, Refused) else picture,
        profile=profile,
        shape=None if isinstance(shape, Refused) else shape,
        beside=chart["beside"],
    )


handlers: list[Any] = [vitals, seen, kind, kind_span, delete_typed]
