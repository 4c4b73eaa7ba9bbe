"""SMS through an HTTP gateway of the operator's choice. No provider's interface was examined: what is sent is
a template of settings, and whoever needs more puts an adapter of his own before it.

`POST <address>` with the filled template, a signature, and `Idempotency-Key` = the reference, so that a
gateway can drop the repeat of a message whose answer was lost.
"""

import asyncio
from datetime import timedelta
from typing import Any, Final, Self

import httpx
import msgspec
import structlog
from msgspec import Struct

from kernel.clock import Clock
from notifications.breaker import Breaker, retry_after_seconds
from notifications.models import Outcome, SmsMessage
from notifications.sms import sms_text
from notifications.sms_signature import HEADER, signature
from notifications.sms_template import Template, at_path, value_at

CONNECT_SECONDS: Final = 3.0
# Below the deadline of the drain around it.
DEADLINE_SECONDS: Final = 9.0
BYTES_MAX: Final = 64 * 1024
CONNECTIONS_MAX: Final = 32
ID_MAX: Final = 200
FAILURES_MAX: Final = 5
SHUT_FOR: Final = timedelta(seconds=30)

log = structlog.get_logger("notifications")


class Gateway(Struct, frozen=True, kw_only=True):
    """Where and how. id_at: the path of the gateway's id in its answer. accepted: `path=value` that an answer
    must hold to count as accepted; empty: any 2xx counts. secret signs, token goes as a bearer token."""

    url: str
    template: Template
    id_at: str = "id"
    accepted: str = ""
    token: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return "Gateway()"


class HttpSmsGateway:
    """One gateway. hotline: the number that the texts tell people to call."""

    def __init__(
        self, gateway: Gateway, clock: Clock, hotline: str, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._gateway, self._clock, self._hotline = gateway, clock, hotline
        self._deadline = deadline_seconds
        self._breaker = Breaker(FAILURES_MAX, SHUT_FOR)
        headers = {"Authorization": f"Bearer {gateway.token}"} if gateway.token else {}
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(deadline_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def send(self, message: SmsMessage) -> Outcome:
        """What became of one SMS. Raises nothing."""
        now = self._clock.now()
        held = self._breaker.held(now)
        if held is not None:
            return held
        outcome = await self._asked(message)
        if outcome.status == "unknown" or outcome.error_code in ("unreachable", "refused"):
            if self._breaker.failed(self._clock.now()):
                log.error("sms_gateway_shut", error=outcome.error_code, alert=True)
        else:
            self._breaker.succeeded()
        return outcome

    async def _asked(self, message: SmsMessage) -> Outcome:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._post(message)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Outcome(status="retry", error_code="unreachable")
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(status="unknown", error_code="timeout")
        except httpx.HTTPError:
            return Outcome(status="unknown", error_code="connection")

    async def _post(self, message: SmsMessage) -> Outcome:
        template = self._gateway.template
        text = sms_text(message.sms, self._hotline)
        body = template.body(phone=message.phone, text=text, reference=message.reference)
        headers = {"Content-Type": template.media_type, "Idempotency-Key": message.reference}
        if self._gateway.secret:
            headers[HEADER] = signature(self._gateway.secret, "send", body, self._clock.now())
        async with self._client.stream("POST", self._gateway.url, content=body, headers=headers) as answer:
            if not answer.is_success:
                return outcome_of(answer.status_code, answer.headers.get("retry-after"))
            read = bytearray()
            async for part in answer.aiter_bytes():
                read += part
                if len(read) > BYTES_MAX:
                    break
        return accepted_as(self._gateway, bytes(read))


def outcome_of(status: int, retry_after: str | None) -> Outcome:
    """What a refusal of the gateway makes of an SMS. `refused`: our settings are wrong, not this message."""
    if status == httpx.codes.CONFLICT:
        # It took this reference before, and the answer to that was lost.
        return Outcome(status="sent", error_code="repeated")
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
        return Outcome(
            status="retry", error_code="busy", retry_after_seconds=retry_after_seconds(retry_after)
        )
    if status in (401, 403, 404, 405) or 300 <= status < 400:
        return Outcome(status="retry", error_code="refused")
    if 400 <= status < 500:
        return Outcome(status="failed", error_code="invalid-message")
    return Outcome(status="unknown", error_code="broken")


def accepted_as(gateway: Gateway, body: bytes) -> Outcome:
    """What a 2xx answer says: its id, and whether it is a yes at all."""
    try:
        said: Any = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        said = None
    path, _, wanted = gateway.accepted.partition("=")
    if gateway.accepted and word_at(said, path) != wanted:
        return Outcome(status="retry", error_code="not-accepted")
    ident = at_path(said, gateway.id_at)
    return Outcome(status="sent", message_id=ident if ident and len(ident) <= ID_MAX else None)


def word_at(said: object, path: str) -> str | None:
    """As a setting writes it: a yes of JSON is the word `true`."""
    found = value_at(said, path)
    return str(found).lower() if isinstance(found, bool) else at_path(said, path)
