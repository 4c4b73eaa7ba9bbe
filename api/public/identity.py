"""The way back from an identity provider (OpenID Connect Core §3.1.2.5)."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Meta

from api.request import Call, answer
from identity.verification import service
from identity.verification.problems import VERIFICATION_REFUSED, VERIFICATION_UNAVAILABLE
from kernel.problems import Refused

Text = Annotated[str, Meta(max_length=4000)]
# Litestar has another use for a parameter of that name.
State = Annotated[str, Meta(max_length=4000), QueryParameter(name="state")]


@get(
    "/v1/auth/identity/callback",
    status_code=303,
    actors=("public",),
    operation_id="identity_callback",
    tags=["auth"],
    problems=(VERIFICATION_REFUSED, VERIFICATION_UNAVAILABLE),
    any_query=True,
)
async def callback(
    call: NamedDependency[Call],
    given_state: State = "",
    code: FromQuery[Text] = "",
    error: FromQuery[Text] = "",
    iss: FromQuery[Text] = "",
) -> Response[None]:
    """Where the provider sends the browser back to; it goes on to whoever asked, with a receipt.

    The provider's code and our state serve once. The address that the browser goes on to is the same for a
    yes and a no: the answer is only for who brings receipt and secret.
    """
    given = {"state": given_state, "code": code, "error": error, "iss": iss}
    done = await _conclude(call, {name: value for name, value in given.items() if value})
    if isinstance(done, Refused):
        return answer(done)
    return answer(None, headers={"Location": done.address})


async def _conclude(call: Call, given: dict[str, str]) -> service.Landing | Refused:
    verifier = call.verifier
    if verifier is None:
        return Refused(problem=VERIFICATION_UNAVAILABLE)
    async with call.begin_public() as tx:
        taken = await service.take(tx, call.keys, given.get("state", ""), call.now)
    if isinstance(taken, Refused):
        return taken
    row, kept = taken
    result = await verifier.finish(given, kept, call.now)
    call.time_went_by()
    async with call.begin_public() as tx:
        return await service.conclude(tx, call.keys, row, result, call.now)


handlers: list[Any] = [callback]
