"""Where the ministry's axis sends messages to us. Its signature lets it in, no token of ours."""

from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency

from api.problems import BODY_TOO_LARGE, MALFORMED_BODY, NOT_FOUND
from api.request import Call, answer
from kernel.problems import Refused
from partners.axis import incoming
from partners.axis.message import BODY_BYTES_MAX, AxisReply, BadMessageError, read

TAGS: Final = ["axis"]


@post(
    "/v1/axis/messages",
    status_code=200,
    actors=("public",),
    operation_id="take_axis_message",
    tags=TAGS,
    request_max_body_size=BODY_BYTES_MAX,
    problems=(NOT_FOUND, MALFORMED_BODY, BODY_TOO_LARGE),
)
async def take_message(call: NamedDependency[Call]) -> Response[AxisReply]:
    """A message in the form of QĐ 1551, answered with CM_SUCCESS, CM_INVALID_REQUEST or PS_SIGNATURE_INVALID.

    The same message again gets the same answer; nothing of it tells whether somebody is known here. Not found
    where this installation takes none."""
    if not call.axis_keys:
        return answer(Refused(problem=NOT_FOUND))
    try:
        received = read(await call.body())
    except BadMessageError:
        return answer(Refused(problem=MALFORMED_BODY))
    reply = await incoming.take(call.store, received, call.axis_keys, call.now)
    return answer(Refused(problem=MALFORMED_BODY) if reply is None else reply)


handlers: list[Any] = [take_message]
