"""Refusals where somebody may be in danger: whatever the reason, they name the emergency number."""

from typing import Any, Final

import msgspec
from litestar import Request, Response

from api.errors import on_exception
from api.problems import Problem

NUMBER: Final = "115"
NAMED_VI: Final = "Nếu khẩn cấp, gọi 115 ngay, không chờ ứng dụng."
NAMED_EN: Final = "In an emergency call 115 now; do not wait for the app."
_decode: Final = msgspec.json.Decoder(Problem).decode


def name_number(response: Response[Any]) -> Response[Any]:
    """A refusal with what to do in an emergency before everything else; any other answer as it is."""
    if (response.status_code or 200) < 400:
        return response
    problem = _decode(response.content)
    if NUMBER not in problem.detail:
        problem.detail = f"{NAMED_VI} {problem.detail}"
        problem.detail_en = f"{NAMED_EN} {problem.detail_en}"
        response.content = msgspec.json.encode(problem)
    return response


def on_exception_naming_number(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    return name_number(on_exception(request, error))


NAMING_NUMBER: Final[dict[str, Any]] = {
    "after_request": name_number,
    "exception_handlers": {Exception: on_exception_naming_number},
}
