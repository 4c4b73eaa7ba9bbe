"""While a person decides: the code to scan, the digits to read out, and the answers that are typed here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.doctor.asking_view import Narrowed, grouped, narrowed, wished
from api.pages.doctor.granted import kinds_of
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE = ("Chờ người bệnh đồng ý", "Waiting for the patient's consent")
BASE = "/doctor/requests/{request_id:uuid}"


@get(BASE, operation_id="page_doctor_request", **STAFF)
async def waiting(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The waiting screen; it asks for itself every few seconds, and once granted leads to the summary."""
    return await _waiting(open_visit(call, "staff"), request_id)


@post(BASE + "/code", operation_id="page_doctor_code", **STAFF)
async def type_code(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The digits that the person read out of the app or of the SMS."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    code = "".join(sign for sign in form.get("code", "") if sign.isdigit())
    path = f"/v1/doctor/access-requests/{request_id}/code"
    done = await visit.send("POST", path, {"code": code or "0"})
    if isinstance(done, Refused):
        return await _waiting(visit, request_id, problem=done)
    return visit.go(f"/doctor/patients/{UUID(done['patient_id'])}")


@post(BASE + "/sms", operation_id="page_doctor_sms", **STAFF)
async def ask_sms(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Ask for a code by SMS. Whether one was sent is not said (security.md S19)."""
    visit = open_visit(call, "staff")
    await visit.form()
    done = await visit.send("POST", f"/v1/doctor/access-requests/{request_id}/sms")
    if isinstance(done, Refused):
        return await _waiting(visit, request_id, problem=done)
    return await _waiting(visit, request_id, sms=done)


async def _waiting(
    visit: Visit, request_id: UUID, *, problem: Refused | None = None, sms: dict[str, Any] | None = None
) -> Shown:
    path = f"/v1/doctor/access-requests/{request_id}"
    state = await visit.read(path)
    english = visit.display.language == "en"
    if state["state"] == "granted":
        less = narrowed(state["asked"], state["given"], english=english)
        book = f"/doctor/patients/{UUID(state['patient_id'])}"
        return _answered(visit, book, state, less) if less else visit.go(book)
    shown = await visit.ask(f"{path}/display")
    picture = await visit.picture(f"{path}/display.svg")
    # What polls has only the codes drawn anew; the page is loaded again when nothing is left to wait for.
    codes = None if isinstance(shown, Refused) or isinstance(picture, Refused) else (shown["digits"], picture)
    again = {} if codes or visit.call.header("hx-request") is None else {"HX-Refresh": "true"}
    return visit.show(
        "doctor/waiting.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        headers=again,
        nav="start",
        problem=problem,
        request_id=request_id,
        state=state,
        asked=wished(state["asked"], english=english),
        digits=grouped(codes[0]) if codes else "",
        picture=codes[1] if codes else "",
        sms=sms,
    )


def _answered(visit: Visit, book: str, state: dict[str, Any], less: Narrowed) -> Shown:
    """Less came than was asked, by the person's will or by the way of the answer: said before the book opens.
    What polls loads it whole."""
    english = visit.display.language == "en"
    return visit.show(
        "doctor/answered.html",
        ("Đã đồng ý, ít hơn bạn xin", "Agreed to, and less than you asked"),
        headers={} if visit.call.header("hx-request") is None else {"HX-Refresh": "true"},
        nav="start",
        book=book,
        given=state["given"],
        kinds=kinds_of(state["given"]["types"], english=english),
        less=less,
        is_later=datetime.fromisoformat(state["given"]["starts_at"]) > visit.call.now,
    )


handlers: list[Any] = [waiting, type_code, ask_sms]
