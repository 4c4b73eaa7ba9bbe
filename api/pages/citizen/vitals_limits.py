"""The limits outside of which a measurement alerts: which are in force, whose they are, and ending one."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.vitals_view import limit_rows
from api.pages.showing import CITIZEN, Visit, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Ngưỡng báo", "Alert limits")
RULES: Final = "/v1/me/alert-rules"


@get("/me/vitals/limits", operation_id="page_me_alert_limits", **CITIZEN)
async def limits(call: NamedDependency[Call]) -> Response[bytes]:
    """What is in force, by kind."""
    return await _show(open_visit(call, "citizen"))


@post("/me/vitals/limits/{rule_id:uuid}/end", operation_id="page_me_alert_limit_end", **CITIZEN)
async def end_limit(rule_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """End one's own limit or a doctor's; the default one stands again."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("DELETE", f"{RULES}/{rule_id}")
    return await _show(visit, done) if isinstance(done, Refused) else visit.go("/me/vitals/limits")


async def _show(visit: Visit, problem: Refused | None = None) -> Response[bytes]:
    found = await visit.read(RULES)
    return visit.show(
        "citizen/vital_limits.html",
        TITLE,
        nav="vitals",
        status=problem.problem.status if problem else 200,
        problem=problem,
        kinds=limit_rows(found["rules"], english=visit.display.language == "en"),
        notice=found["notice"],
    )


handlers: list[Any] = [limits, end_limit]
