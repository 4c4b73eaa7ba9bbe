"""Vaccination certificates: which dose has one or why not, issuing, and one with its code to show."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.showing import CITIZEN, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import Refused, refuse

TITLE = ("Chứng nhận tiêm chủng", "Vaccination certificates")
ONE = ("Chứng nhận", "Certificate")
CERTIFICATES: Final = "/v1/me/certificates"
HEALTH_CARDS: Final = "/v1/me/health-cards"


@get("/me/certificates", operation_id="page_me_certificates", **CITIZEN)
async def certificates(call: NamedDependency[Call]) -> Response[bytes]:
    """Each COVID-19 dose with its certificate or the reasons why not; cards of the whole book."""
    return await _list(open_visit(call, "citizen"))


@post("/me/certificates", operation_id="page_me_issue_certificate", **CITIZEN)
async def issue(call: NamedDependency[Call]) -> Response[bytes]:
    """Issue one; a dose that has one leads to it."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    made = await visit.send("POST", CERTIFICATES, {"immunization_id": form.get("immunization_id", "")})
    if isinstance(made, Refused):
        return await _list(visit, made)
    return visit.go(f"/me/certificates/{made['certificate_id']}")


@post("/me/certificates/name", operation_id="page_me_latin_name", **CITIZEN)
async def latin_name(call: NamedDependency[Call]) -> Response[bytes]:
    """Part the name as the passport does."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {name: form.get(name, "") for name in ("family_name", "given_name")}
    done = await visit.send("PUT", f"{CERTIFICATES}/latin-name", body)
    return await _list(visit, done, form) if isinstance(done, Refused) else visit.go("/me/certificates")


async def _list(
    visit: Visit, problem: Refused | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    found = await visit.read(CERTIFICATES)
    # A proxy of an adult may see certificates and not make cards.
    cards = await visit.ask(HEALTH_CARDS)
    return visit.show(
        "citizen/certificates.html",
        TITLE,
        nav="vaccination",
        status=problem.problem.status if problem else 200,
        problem=problem,
        typed=typed or {},
        found=found,
        cards=None if isinstance(cards, Refused) else cards,
    )


@get("/me/certificates/{certificate_id:uuid}", operation_id="page_me_certificate", **CITIZEN)
async def certificate(certificate_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One certificate with its code, to show or to print."""
    visit = open_visit(call, "citizen")
    found = await visit.read(CERTIFICATES)
    dose = _dose_of(found, str(certificate_id))
    picture = await visit.picture(f"{CERTIFICATES}/{certificate_id}/code.svg")
    if isinstance(picture, Refused):
        refuse(NOT_FOUND)
    shown = dose["certificate"] if dose else _ended(found, str(certificate_id))
    return visit.show(
        "citizen/certificate.html",
        ONE,
        nav="vaccination",
        dose=dose,
        certificate=shown,
        picture=picture,
    )


@get(
    "/me/certificates/{certificate_id:uuid}/download/certificate.pdf",
    operation_id="page_me_certificate_pdf",
    **CITIZEN,
)
async def paper(certificate_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The certificate on A4."""
    return open_visit(call, "citizen").download(f"{CERTIFICATES}/{certificate_id}/certificate.pdf")


def _dose_of(found: dict[str, Any], certificate_id: str) -> dict[str, Any] | None:
    with_one = (one for one in found["doses"] if one["certificate"])
    return next((one for one in with_one if one["certificate"]["certificate_id"] == certificate_id), None)


def _ended(found: dict[str, Any], certificate_id: str) -> dict[str, Any]:
    """One that was renewed or holds no longer. Raises not-found."""
    ended = (one for one in found["ended"] if one["certificate_id"] == certificate_id)
    shown: dict[str, Any] | None = next(ended, None)
    return shown if shown is not None else refuse(NOT_FOUND)


handlers: list[Any] = [certificates, issue, latin_name, certificate, paper]
