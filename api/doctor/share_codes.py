"""The practitioner's side of share codes."""

from typing import Annotated, Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.doctor.requests import ASKING, CodeAccepted
from api.request import Call, answer
from consent.problems import NOTHING_GRANTED, ROLE_MAY_NOT_ASK
from consent.share_codes import service
from consent.share_codes.policy import TYPED_MAX
from consent.share_codes.problems import SHARE_CODE_INVALID
from identity.problems import TOO_MANY
from kernel.problems import Refused

TAGS = ["access-requests"]


class GivenCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """The eight characters, typed in any case and with or without hyphen, or the text of the QR picture."""

    code: Annotated[str, Meta(min_length=1, max_length=TYPED_MAX)]


@post(
    "/v1/doctor/share-codes/redeem",
    actors=ASKING,
    operation_id="doctor_redeem_share_code",
    tags=TAGS,
    status_code=200,
    problems=(SHARE_CODE_INVALID, TOO_MANY, NOTHING_GRANTED, ROLE_MAY_NOT_ASK),
)
async def redeem(data: JSONBody[GivenCode], call: NamedDependency[Call]) -> Response[CodeAccepted]:
    """Open a record with the code that its person gave; it works once."""
    async with call.begin() as (tx, actor):
        verdict = await service.redeem(
            tx, call.keys, actor, data.code, trace_id=call.request_id, now=call.now
        )
    if isinstance(verdict, Refused):
        return answer(verdict)
    return answer(
        CodeAccepted(
            patient_id=verdict.patient_id,
            grant_id=verdict.grant_id,
            starts_at=verdict.starts_at,
            ends_at=verdict.ends_at,
        )
    )


handlers: list[Any] = [redeem]
