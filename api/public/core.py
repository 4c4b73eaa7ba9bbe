"""Where a core tells that something changed. It shows its own secret in a header and says ids alone."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency

from api.problems import BODY_TOO_LARGE, MALFORMED_BODY, NOT_FOUND
from api.request import Call, answer
from ehr.core import subscription
from ehr.core.subscribing import NOTICES_PATH, SECRET_HEADER
from kernel.problems import Refused

TAGS = ["core"]
NOTICE_BYTES_MAX = 1024 * 1024
SECRET_MAX = 200


@post(
    NOTICES_PATH,
    actors=("public",),
    operation_id="take_core_notice",
    tags=TAGS,
    problems=(NOT_FOUND, MALFORMED_BODY, BODY_TOO_LARGE),
    status_code=204,
    request_max_body_size=NOTICE_BYTES_MAX,
)
async def take_notice(call: NamedDependency[Call]) -> Response[None]:
    """A notification of the core's Subscription (R4 Backport), with its secret in X-Subscription-Secret."""
    secret = call.header(SECRET_HEADER.lower())
    if call.core is None or secret is None or len(secret) > SECRET_MAX:
        return answer(Refused(problem=NOT_FOUND))
    async with call.begin_public() as tx:
        if not await subscription.is_the_core(tx, call.core.source_id, secret):
            return answer(Refused(problem=NOT_FOUND))
    body = await call.body()
    async with call.begin_public() as tx:
        taken = await subscription.take(tx, call.core.source_id, body, call.now)
    return answer(None, status=204) if taken else answer(Refused(problem=MALFORMED_BODY))


handlers: list[Any] = [take_notice]
