"""Breaking the glass, and signing with a colleague who does: loud, with what follows said beforehand."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.doctor.asking_view import subject_of
from api.pages.scope_words import LABELS
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.request import Call
from consent.emergency.models import Reason, SafetyFlag
from consent.emergency.policy import ATTESTATION, REASON_LENGTH_MIN
from consent.emergency.problems import PROVE_AGAIN
from kernel.problems import Refused

TITLE: Final = ("Mở sổ khẩn cấp", "Emergency access")
REASONS: Final[dict[Reason, tuple[str, str]]] = {
    "unconscious": ("Bất tỉnh", "Unconscious"),
    "cardiac-arrest": ("Ngừng tim", "Cardiac arrest"),
    "severe-trauma": ("Chấn thương nặng", "Severe trauma"),
    "anaphylaxis": ("Sốc phản vệ", "Anaphylaxis"),
    "acute-confusion": ("Lú lẫn cấp", "Acute confusion"),
    "cannot-communicate": ("Không giao tiếp được", "Cannot communicate"),
    "child-alone": ("Trẻ em đi một mình", "A child alone"),
    "mass-casualty": ("Nhiều người bị nạn cùng lúc", "Mass casualty"),
}
FLAGS: Final[dict[SafetyFlag, tuple[str, str]]] = {
    "suspected-abuse": ("Nghi bị xâm hại, bạo lực", "Suspected abuse"),
    "self-harm-risk": ("Nguy cơ tự hại", "Risk of self-harm"),
    "shared-phone": ("Người khác dùng chung điện thoại", "Somebody else uses the phone"),
}


@get("/doctor/emergency", operation_id="page_doctor_emergency", **STAFF)
async def emergency(call: NamedDependency[Call]) -> Response[bytes]:
    """The form for who works in an emergency unit, and what runs or waits at the facility."""
    return await _show(open_visit(call, "staff"), {})


@post("/doctor/emergency", operation_id="page_doctor_break_glass", **STAFF)
async def break_glass(call: NamedDependency[Call]) -> Response[bytes]:
    """Open; once, however often the button is pressed."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    made = await _open(visit, form)
    if isinstance(made, Refused):
        return await _show(visit, form, problem=made)
    if made["waiting"]:
        return await _show(visit, {}, is_waiting=True)
    return visit.go(f"/doctor/patients/{UUID(made['patient_id'])}")


@post("/doctor/emergency/{emergency_id:uuid}/co-sign", operation_id="page_doctor_co_sign", **STAFF)
async def co_sign(emergency_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Sign what a colleague opened, with one's own one-time password."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    labels = [name for name in LABELS if f"label-{name}" in form and form.get("act") == "labels"]
    body = {"act": form.get("act", ""), "totp": digits_of(form.get("totp", "")), "labels": labels}
    done = await visit.send("POST", f"/v1/doctor/emergency-access/{emergency_id}/co-sign", body)
    refused = done if isinstance(done, Refused) else None
    return await _show(visit, {}, problem=refused, is_signed=refused is None)


def opening_of(form: dict[str, str]) -> dict[str, Any]:
    """The body of an opening. What is missing is left to the service to refuse."""
    return {
        "subject": subject_of(form.get("subject", "")),
        "reason": form.get("reason", ""),
        "text": form.get("text", "").ljust(REASON_LENGTH_MIN)[:500],
        "attestation": form.get("attestation", "-")[:200],
        "safety_flag": form.get("safety_flag"),
    }


def digits_of(text: str) -> str:
    """Six digits, however they were typed; six zeros for anything else, which the service refuses."""
    found = "".join(sign for sign in text if sign.isascii() and sign.isdigit())
    return found if len(found) == 6 else "000000"


async def _open(visit: Visit, form: dict[str, str]) -> Any | Refused:
    """With the one-time password only where the service asks for one: it serves once, and who pressed twice
    is led to what the first press opened."""
    address, body, once = "/v1/doctor/emergency-access", opening_of(form), once_of(form)
    made = await visit.send("POST", address, body, headers=once)
    if not _wants_proof(made) or "totp" not in form:
        return made
    proven = await visit.send("POST", "/v1/doctor/re-authenticate", {"totp": digits_of(form["totp"])})
    made = await visit.send("POST", address, body, headers=once)
    return proven if isinstance(proven, Refused) and _wants_proof(made) else made


def _wants_proof(made: Any | Refused) -> bool:
    return isinstance(made, Refused) and made.problem is PROVE_AGAIN


async def _show(visit: Visit, form: dict[str, str], *, problem: Refused | None = None, **done: bool) -> Shown:
    who = await visit.read("/v1/doctor/me")
    listed = await visit.ask("/v1/doctor/emergency-access")
    return visit.show(
        "doctor/emergency.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        nav="emergency",
        problem=problem,
        once=new_key(),
        who=who,
        asked=form,
        running=[] if isinstance(listed, Refused) else listed["items"],
        may_sign=not isinstance(listed, Refused),
        reasons=REASONS,
        flags=FLAGS,
        labels=LABELS,
        attestation=ATTESTATION,
        shortest=REASON_LENGTH_MIN,
        done=done,
    )


handlers: list[Any] = [emergency, break_glass, co_sign]
