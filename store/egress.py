"""The one way to an address that came from data or from a partner (security.md S29).

https on port 443 only, a real host name only, resolved once and pinned, every address it names public,
no redirect followed, five seconds and two megabytes in all. An operator's own address (EHR_CORE_URL,
S3_ENDPOINT) is no such address and does not come through here.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

SECONDS_MAX = 5.0
BYTES_MAX = 2 * 1024 * 1024
URL_LENGTH_MAX = 2000
ADDRESSES_MAX = 16
HTTPS_PORT = 443

# The last label is never a number: decimal, octal and hexadecimal spellings of an address are no names.
_NAME = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_LOCAL_ENDINGS = (
    ".localhost",
    ".local",
    ".internal",
    ".intranet",
    ".lan",
    ".home",
    ".corp",
    ".arpa",
    ".onion",
)
_PRINTABLE = re.compile(r"[!-~]+")

Reason = Literal[
    "scheme",
    "credentials",
    "host",
    "port",
    "url",
    "unknown-name",
    "private-address",
    "unreachable",
    "timeout",
    "redirect",
    "status",
    "too-large",
]
Resolve: TypeAlias = Callable[[str], Awaitable[list[str]]]


class EgressError(Exception):
    """An address that is not fetched, or did not answer. The text is the reason alone, never the address."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Fetched(Struct, frozen=True):
    """A whole answer with status 200."""

    media_type: str
    body: bytes


class Egress:
    """resolve: names to addresses. transport: what carries the request, httpx's own unless given."""

    def __init__(
        self, resolve: Resolve | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._resolve = resolve or _system_resolve
        self._transport = transport

    async def fetch(self, url: str, accept: str = "application/json") -> Fetched:
        """GET one address. Raises EgressError with the reason, and nothing else."""
        status, fetched = await self._ask("GET", url, {"Accept": accept})
        if status != httpx.codes.OK:
            raise EgressError("status")
        return fetched

    async def push(self, url: str, body: bytes, media_type: str) -> int:
        """POST to one address; its status alone is read of the answer. Raises EgressError."""
        status, _ = await self._ask(
            "POST", url, {"Accept": "application/json", "Content-Type": media_type}, body
        )
        return status

    async def _ask(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, Fetched]:
        host, target = checked(url)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                return await self._send(method, host, target, await self._pinned(host), headers, body)
        except TimeoutError:
            raise EgressError("timeout") from None
        except httpx.TimeoutException:
            raise EgressError("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise EgressError("unreachable") from None

    async def _pinned(self, host: str) -> str:
        """The one address that is asked. Any private one among the answers refuses the name."""
        try:
            found = await self._resolve(host)
        except OSError:
            raise EgressError("unknown-name") from None
        if not found or len(found) > ADDRESSES_MAX:
            raise EgressError("unknown-name")
        if not all(is_public(address) for address in found):
            raise EgressError("private-address")
        return found[0]

    async def _send(
        self,
        method: str,
        host: str,
        target: str,
        address: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> tuple[int, Fetched]:
        literal = f"[{address}]" if ":" in address else address
        # No proxy of the environment, no cookies, no compression: what is counted is what arrives.
        client = httpx.AsyncClient(
            transport=self._transport, trust_env=False, follow_redirects=False, timeout=SECONDS_MAX
        )
        named = {"Host": host, "Accept-Encoding": "identity", "User-Agent": "healthbook"}
        async with (
            client,
            client.stream(
                method,
                f"https://{literal}{target}",
                headers=named | headers,
                content=body,
                # The certificate must be the name's, though the connection goes to the address.
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            if answer.is_redirect or 300 <= answer.status_code < 400:
                raise EgressError("redirect")
            if body is not None:
                return answer.status_code, Fetched("", b"")
            if "content-encoding" in answer.headers:
                raise EgressError("status")
            told = await _limited(answer)
            said = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return answer.status_code, Fetched(said, told)


async def _limited(answer: httpx.Response) -> bytes:
    parts: list[bytes] = []
    length = 0
    async for part in answer.aiter_raw():
        length += len(part)
        if length > BYTES_MAX:
            raise EgressError("too-large")
        parts.append(part)
    return b"".join(parts)


def checked(url: str) -> tuple[str, str]:
    """Host and path of an address that may be resolved. Raises EgressError before anything is asked."""
    if len(url) > URL_LENGTH_MAX or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise EgressError("url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EgressError("url") from None
    if parts.scheme != "https":
        raise EgressError("scheme")
    if "@" in parts.netloc:
        raise EgressError("credentials")
    if port not in (None, HTTPS_PORT):
        raise EgressError("port")
    host = (parts.hostname or "").removesuffix(".")
    if not _NAME.fullmatch(host) or host.endswith(_LOCAL_ENDINGS):
        raise EgressError("host")
    return host, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_public(address: str) -> bool:
    """Whether an address is on the public internet, also when it is wrapped in an IPv6 one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return all(_is_plainly_public(one) for one in (parsed, *_wrapped(parsed)))


def _is_plainly_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    # NAT64 and IPv4-compatible addresses are among the reserved ones.
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _wrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """IPv4 addresses that an IPv6 one leads to: mapped, 6to4, Teredo."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    return [one for one in found if one is not None]


async def _system_resolve(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
