"""An account for somebody who stands here, by two members of staff: one writes down, the other compares and
gets the code, which is shown once (security.md S8)."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.facility.desk import written_date
from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, status_of
from api.pages.facility.words import SEXES
from api.pages.uploading import once_of
from api.request import Call
from identity.problems import ACTIVATION_ELSEWHERE
from kernel.problems import Refused

TITLE: Final = ("Mở tài khoản tại quầy", "Open an account")
BASE: Final = "/v1/facility/activations"


@get("/facility/activations", operation_id="page_facility_activations", **FACILITY)
async def show_activations(call: NamedDependency[Call]) -> Response[bytes]:
    """Both halves: the first account's form and the second one's."""
    return _page(await open_desk(call))


@post("/facility/activations", operation_id="page_facility_activation_propose", **FACILITY)
async def propose(call: NamedDependency[Call]) -> Response[bytes]:
    """The first account: what the card says, and the phone in the person's hand."""
    visit = await open_desk(call)
    form = await visit.form()
    body: dict[str, Any] = {
        name: form.get(name, "").strip() for name in ("number", "name", "birth_date", "sex", "phone")
    }
    body |= {"birth_date": written_date(body["birth_date"]), "card_seen": form.get("card_seen") == "yes"}
    done = await visit.send("POST", BASE, body, headers=once_of(form))
    if isinstance(done, Refused):
        return _page(visit, problem=done, typed=form)
    return _page(visit, proposed=done["activation_id"])


@post("/facility/activations/confirm", operation_id="page_facility_activation_confirm", **FACILITY)
async def confirm(call: NamedDependency[Call]) -> Response[bytes]:
    """The second account: the code, shown this once."""
    visit = await open_desk(call)
    form = await visit.form()
    ident = _ident(form.get("activation", ""))
    if ident is None:
        return _page(visit, problem=Refused(problem=ACTIVATION_ELSEWHERE))
    body = {"card_seen": form.get("card_seen") == "yes"}
    done = await visit.send("POST", f"{BASE}/{ident}/confirm", body, headers=once_of(form))
    if isinstance(done, Refused):
        return _page(visit, problem=done, activation=str(ident))
    return visit.show(
        "facility/activation_code.html", ("Mã mở tài khoản", "Account code"), nav="activation", code=done
    )


def _page(visit: DeskVisit, **more: Any) -> Response[bytes]:
    members = {"typed": {}, "proposed": None, "activation": "", **more}
    return visit.show(
        "facility/activations.html",
        TITLE,
        nav="activation",
        status=status_of(more.get("problem")),
        sexes=SEXES,
        **members,
    )


def _ident(text: str) -> UUID | None:
    """As the first account's screen shows it, hyphens or not."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


handlers: list[Any] = [show_activations, propose, confirm]
