"""Where the SMS gateway reports what became of a message. It signs its body; it learns nothing."""

from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency

from api.problems import MALFORMED_BODY, NOT_FOUND
from api.request import Call, answer
from kernel.problems import Refused
from notifications.sms_reports import SmsReports, take_reports
from notifications.sms_signature import HEADER, is_signed

TAGS = ["sms"]
REPORTS_BYTES_MAX = 64 * 1024


@post(
    "/v1/sms/reports",
    actors=("public",),
    operation_id="take_sms_reports",
    tags=TAGS,
    problems=(NOT_FOUND, MALFORMED_BODY),
    status_code=204,
    request_max_body_size=REPORTS_BYTES_MAX,
)
async def take_sms_reports(call: NamedDependency[Call]) -> Response[None]:
    """Delivery reports of the installation's SMS gateway, signed in X-Healthbook-Signature (`report`)."""
    header = call.header(HEADER.lower())
    if not call.sms_secret or header is None:
        return answer(Refused(problem=NOT_FOUND))
    body = await call.body()
    if not is_signed(call.sms_secret, "report", body, header, call.now):
        return answer(Refused(problem=NOT_FOUND))
    try:
        said = msgspec.json.decode(body, type=SmsReports)
    except msgspec.MsgspecError:
        return answer(Refused(problem=MALFORMED_BODY))
    async with call.begin_public() as tx:
        await take_reports(tx, said.reports, call.now)
    return answer(None, status=204)


handlers: list[Any] = [take_sms_reports]
