"""The axis over HTTP: a login that gives a bearer token, and `POST /api/platform/data-sync/push`.

The address is an operator's own, so it does not go through the egress (security.md S29). The login's form
(client credentials, RFC 6749 §4.4) is unconfirmed: the published text says a token in the manner of OAuth 2.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final

import httpx
import msgspec
from msgspec import Struct

from kernel.clock import Clock
from partners.axis.message import BadMessageError, Code, read_reply
from partners.axis.ports import AxisError

PUSH_PATH: Final = "/api/platform/data-sync/push"
CONNECT_SECONDS: Final = 5.0
SECONDS_MAX: Final = 30.0
REPLY_BYTES_MAX: Final = 64 * 1024
# A token is renewed before it ends: the message takes its time too.
RENEWED_BEFORE: Final = timedelta(seconds=60)
TOKEN_LIFE_MAX: Final = timedelta(hours=12)
CONNECTIONS_MAX: Final = 4

# httpx writes every address it asks to its log.
logging.getLogger("httpx").setLevel(logging.WARNING)


class AxisAddress(Struct, frozen=True):
    """Where the axis is and how it lets us in. Never logged."""

    url: str
    login_url: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return "AxisAddress()"


class _Token(Struct):
    access_token: str
    expires_in: int = 0


class HttpAxis:
    """One axis of one process, with the token that it gave last."""

    def __init__(self, address: AxisAddress, clock: Clock, seconds: float = SECONDS_MAX) -> None:
        self._address, self._clock, self._seconds = address, clock, seconds
        self._token, self._until = "", clock.now()
        self._login = asyncio.Lock()
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        self._client = httpx.AsyncClient(
            timeout=timeout, limits=limits, follow_redirects=False, trust_env=False
        )

    async def push(self, body: bytes, msg_id: str) -> tuple[Code, bytes]:
        """Send once; with a new token where the last one counts no more. Raises AxisError."""
        try:
            async with asyncio.timeout(self._seconds):
                token = await self._token_at(self._clock.now())
                status, answer = await self._post(body, token)
                if status == httpx.codes.UNAUTHORIZED:
                    await self._forget(token)
                    status, answer = await self._post(body, await self._token_at(self._clock.now()))
        except (TimeoutError, httpx.TimeoutException):
            raise AxisError("timeout") from None
        except httpx.HTTPError:
            raise AxisError("unreachable") from None
        return _reply(status, answer, msg_id), answer

    async def _token_at(self, now: datetime) -> str:
        async with self._login:
            if not self._token or now >= self._until:
                self._token, self._until = await self._sign_in(now)
            return self._token

    async def _forget(self, token: str) -> None:
        """Another message may have signed in since."""
        async with self._login:
            if self._token == token:
                self._token = ""

    async def _sign_in(self, now: datetime) -> tuple[str, datetime]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._address.client_id,
            "client_secret": self._address.client_secret,
        }
        request = self._client.build_request("POST", self._address.login_url, data=form)
        status, answer = await self._answer(request)
        if status != httpx.codes.OK:
            raise AxisError("login" if status < 500 else "server-error")
        try:
            token = msgspec.json.decode(answer, type=_Token)
        except (msgspec.MsgspecError, RecursionError):
            raise AxisError("login") from None
        if not token.access_token or not token.access_token.isascii() or not token.access_token.isprintable():
            raise AxisError("login")
        life = min(timedelta(seconds=max(token.expires_in, 0)), TOKEN_LIFE_MAX)
        return token.access_token, now + life - RENEWED_BEFORE

    async def _post(self, body: bytes, token: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = self._address.url.rstrip("/") + PUSH_PATH
        return await self._answer(self._client.build_request("POST", url, content=body, headers=headers))

    async def _answer(self, request: httpx.Request) -> tuple[int, bytes]:
        answer = await self._client.send(request, stream=True)
        try:
            read = bytearray()
            async for part in answer.aiter_bytes():
                read += part
                if len(read) > REPLY_BYTES_MAX:
                    raise AxisError("bad-answer")
            return answer.status_code, bytes(read)
        finally:
            await answer.aclose()

    async def close(self) -> None:
        await self._client.aclose()


def _reply(status: int, answer: bytes, msg_id: str) -> Code:
    """A reply counts whatever its status; without one the status says whether to try again."""
    try:
        return read_reply(answer, msg_id).code
    except BadMessageError as error:
        if status == httpx.codes.OK or error.args == ("other-message",):
            raise AxisError("bad-answer") from None
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
        raise AxisError("busy")
    if status >= 500:
        raise AxisError("server-error")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise AxisError("login")
    # Time-outs of the protocol and redirects are trouble of the way, not a word on the message.
    is_trouble = status < 400 or status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY)
    raise AxisError("bad-answer" if is_trouble else "refused")
