"""Proving who one is, where it needs no account: the way back from an identity provider (OpenID Connect Core
§3.1.2.5), and a card that fills in a form."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.pages.connect_view import Page, page_answer
from api.request import Answer, Call, answer
from identity import budgets
from identity.models import Sex
from identity.problems import TOO_MANY
from identity.verification import service
from identity.verification.models import Verified
from identity.verification.problems import VERIFICATION_REFUSED
from kernel.problems import Refused
from partners.verifiers import qr_cccd
from qr.problems import CARD_DATE, CARD_INCOMPLETE, CARD_NUMBER, QR_UNREADABLE
from qr.scanner import TEXT_MAX

Text = Annotated[str, Meta(max_length=4000)]
# Litestar has another use for a parameter of that name.
State = Annotated[str, Meta(max_length=4000), QueryParameter(name="state")]


@get(
    "/v1/auth/identity/callback",
    status_code=303,
    actors=("public",),
    operation_id="identity_callback",
    tags=["auth"],
    problems=(VERIFICATION_REFUSED,),
    problem_type="text/html",
    any_query=True,
)
async def callback(
    call: NamedDependency[Call],
    given_state: State = "",
    code: FromQuery[Text] = "",
    error: FromQuery[Text] = "",
    iss: FromQuery[Text] = "",
) -> Answer:
    """Where the provider sends the browser back to; it goes on to whoever asked, with a receipt.

    The provider's code and our state serve once. The address that the browser goes on to is the same for a
    yes and a no: the answer is only for who brings receipt and secret. A browser whose transaction is over or
    nobody's sees a page that says so.
    """
    given = {"state": given_state, "code": code, "error": error, "iss": iss}
    done = await _conclude(call, {name: value for name, value in given.items() if value})
    if isinstance(done, Refused):
        return _nowhere(call, done)
    return answer(None, headers={"Location": done.address})


def _nowhere(call: Call, refused: Refused) -> Answer:
    """Nobody knows where this browser came from: the words are all there is."""
    if "text/html" not in call.request.headers.get("accept", ""):
        return answer(refused)
    page = Page("Chưa xác minh được danh tính", problem=refused.problem)
    return page_answer(call, page, refused.problem.status)


async def _conclude(call: Call, given: dict[str, str]) -> service.Landing | Refused:
    verifier = call.verifier
    async with call.begin_public() as tx:
        taken = await service.take(tx, call.keys, given.get("state", ""), call.now)
    if isinstance(taken, Refused):
        return taken
    row, kept = taken
    result: Verified | Refused = Refused(problem=VERIFICATION_REFUSED)
    # A transaction of another provider, from before the setting was changed, is never that one's to answer.
    if verifier is not None and row.provider == verifier.provider:
        result = await verifier.finish(given, kept, call.now)
    call.time_went_by()
    async with call.begin_public() as tx:
        return await service.conclude(tx, call.keys, row, result, call.now)


class CardText(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: what the code of an identity card holds, as it was scanned."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class CardFields(Struct, kw_only=True):
    """What the card says, for a form. Nothing of it is proven and nobody was looked up."""

    number: str | None
    name: str | None
    birth_date: str | None
    sex: Sex | None


@post(
    "/v1/auth/sign-up/card",
    status_code=200,
    actors=("public",),
    operation_id="read_card_text",
    tags=["auth"],
    problems=(CARD_INCOMPLETE, CARD_NUMBER, CARD_DATE, QR_UNREADABLE, TOO_MANY),
)
async def read_card_text(data: JSONBody[CardText], call: NamedDependency[Call]) -> Response[CardFields]:
    """Fill in a form from the code of an identity card; it raises no level."""
    return answer(await _read_card(call, data.text))


async def _read_card(call: Call, text: str) -> CardFields | Refused:
    network = budgets.subject(call.network_prefix())
    async with call.begin_public() as tx:
        refused = await budgets.charge_or_refuse(tx, budgets.CARD_TEXTS_NETWORK, network, call.now)
    read = refused or qr_cccd.prefill(text)
    if isinstance(read, Refused):
        return read
    return CardFields(number=read.number, name=read.name, birth_date=read.birth_date, sex=read.sex)


handlers: list[Any] = [callback, read_card_text]
