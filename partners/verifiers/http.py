"""Requests to the configured issuer: short, small, to its own origins, and nowhere that an answer points to.

The issuer is an operator's own address and so does not come through store/egress.py; where its discovery
document points is data, and stays on the origins that the operator named.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx

from partners.verifiers.models import Issuer, ProviderError

SECONDS_MAX: Final = 5.0
CONNECT_SECONDS: Final = 2.0
BYTES_MAX: Final = 256 * 1024
AT_ONCE_MAX: Final = 32


class ProviderHttp:
    """At most AT_ONCE_MAX requests are open; one more is refused, it never queues."""

    def __init__(self, issuer: Issuer, seconds: float = SECONDS_MAX) -> None:
        self._issuer, self._seconds, self._open = issuer, seconds, 0
        # No proxy of the environment and no cookies: one request knows nothing of another.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "healthbook"},
        )

    async def get(self, url: str, bearer: str | None = None) -> bytes:
        """A JSON document. Raises ProviderError."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return await self._send(self._request("GET", url, headers))

    async def post(self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> bytes:
        """The JSON answer to a form. Raises ProviderError."""
        request = self._request("POST", url, {}, form)
        if basic is not None:
            request = next(httpx.BasicAuth(*basic).auth_flow(request))
        return await self._send(request)

    def _request(
        self, method: str, url: str, more: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> httpx.Request:
        """What is asked is checked as it will be sent: two readers of one address can differ."""
        headers = {**self._client.headers, **more}
        try:
            request = httpx.Request(method, url, data=None if form is None else dict(form), headers=headers)
        except (httpx.InvalidURL, ValueError):
            raise ProviderError("endpoint") from None
        if not (may_ask(self._issuer, url) and may_ask(self._issuer, str(request.url))):
            raise ProviderError("endpoint")
        return request

    async def _send(self, request: httpx.Request) -> bytes:
        if self._open >= AT_ONCE_MAX:
            raise ProviderError("busy")
        self._open += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(request)
        except (TimeoutError, httpx.TimeoutException):
            raise ProviderError("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise ProviderError("unreachable") from None
        finally:
            self._open -= 1

    async def _read(self, request: httpx.Request) -> bytes:
        answer = await self._client.send(request, stream=True)
        try:
            if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
                raise ProviderError("status")
            media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not (media_type == "application/json" or media_type.endswith("+json")):
                raise ProviderError("status")
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > BYTES_MAX:
                    raise ProviderError("too-large")
            return bytes(body)
        finally:
            await answer.aclose()

    async def close(self) -> None:
        await self._client.aclose()


def may_ask(issuer: Issuer, url: str) -> bool:
    """Whether an endpoint lies on the issuer's own origin or one that the operator named beside it."""
    origin = origin_of(url, insecure=issuer.insecure)
    own = origin_of(issuer.issuer, insecure=issuer.insecure)
    return origin is not None and (origin == own or origin in issuer.origins)


def origin_of(url: str, *, insecure: bool) -> str | None:
    """Scheme, host and port; None where it is not https (or, on this machine, http where that is allowed)."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    local = insecure and parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    if not host or "@" in parts.netloc or "\\" in url or not (parts.scheme == "https" or local):
        return None
    standard = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, standard) else f":{port}")
