"""A stand-in for the insurance gateway, in a demo database only: the last three digits of a card's number are
its result code, where those are one; every other card can be used."""

from datetime import date
from typing import Any

from litestar import Response, post
from litestar.params import JSONBody
from msgspec import Struct

from api.request import answer
from visits.coverage_check.policy import is_code


class AskedCard(Struct, kw_only=True, forbid_unknown_fields=True):
    number: str
    name: str
    birth_date: date


class Code(Struct, kw_only=True):
    code: str


@post(
    "/demo/coverage-gateway",
    status_code=200,
    operation_id="demo_coverage_gateway",
    problems=(),
    actors=("public",),
    tags=["demo"],
    include_in_schema=False,
)
async def look_up(data: JSONBody[AskedCard]) -> Response[Code]:
    """What the stand-in says of a card."""
    ending = data.number[-3:]
    return answer(Code(code=ending if is_code(ending) else "000"))


handlers: list[Any] = [look_up]
