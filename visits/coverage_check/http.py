"""The gateway over HTTP. The shape is that of our stand-in: the real one is not public, and whoever connects
it writes an adapter of his own beside this one.

`POST <address>` with {"number", "name", "birth_date"} → 200 {"code": "000"}.
"""

import asyncio
from typing import Final

import httpx
import msgspec
from msgspec import Struct

from visits.coverage_check.policy import is_code
from visits.coverage_check.ports import CheckError, Question

CONNECT_SECONDS: Final = 0.5
# Somebody stands at the desk: what takes longer is asked again later.
SECONDS_MAX: Final = 5.0
AT_ONCE_MAX: Final = 16
BYTES_MAX: Final = 64 * 1024


class _Answer(Struct):
    code: str


class HttpCoverageCheck:
    """One gateway. At most AT_ONCE_MAX questions are open; one more is refused, it never queues."""

    def __init__(self, address: str, token: str = "", seconds: float = SECONDS_MAX) -> None:
        self._address, self._seconds, self._open = address, seconds, 0
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout, follow_redirects=False)

    async def look_up(self, question: Question) -> str:
        """Ask once. Raises CheckError."""
        if self._open >= AT_ONCE_MAX:
            raise CheckError("busy")
        self._open += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await self._ask(question)
        except (TimeoutError, httpx.TimeoutException):
            raise CheckError("timeout") from None
        except httpx.HTTPError:
            raise CheckError("unreachable") from None
        finally:
            self._open -= 1

    async def _ask(self, question: Question) -> str:
        body = msgspec.json.encode(question)
        headers = {"Content-Type": "application/json"}
        async with self._client.stream("POST", self._address, content=body, headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                raise CheckError("bad-answer" if answer.status_code < 500 else "unreachable")
            read = bytearray()
            async for part in answer.aiter_bytes():
                read += part
                if len(read) > BYTES_MAX:
                    raise CheckError("bad-answer")
        try:
            code = msgspec.json.decode(read, type=_Answer).code
        except msgspec.MsgspecError:
            raise CheckError("bad-answer") from None
        if not is_code(code):
            raise CheckError("bad-answer")
        return code

    async def close(self) -> None:
        await self._client.aclose()
