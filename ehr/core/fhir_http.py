"""A FHIR R4 server over HTTP as a core: GET only, and none of the habits that servers differ in.

The rules and the differences they answer are those of ehr-core.md §2.1: typed references, no compartment
search, no `$everything`, no chains, no `_sort`, opaque versions, pages one after the other along `next`
inside the configured origin, a small fixed `_count`, one try again with half of it.
"""

import asyncio
import logging
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import httpx
from msgspec import Struct

from ehr.core.breaker import Breaker, Bulkhead
from ehr.core.pages import (
    Page,
    binary_of,
    deleted_references,
    inside,
    read_binary,
    read_page,
    read_resource,
)
from ehr.ports import Budget, CoreError, CoreFault, CoreResource, CoreState, Deletions, Listing
from kernel.clock import Clock

COUNT = 50
PAGES_MAX = 400
EMPTY_PAGES_MAX = 3
HISTORY_PAGES_MAX = 20
ANSWER_BYTES_MAX = 16 * 1024 * 1024
CONNECTIONS_MAX = 6
CONNECT_SECONDS = 0.5
READ_SECONDS: Final[dict[Budget, float]] = {"interactive": 2.0, "background": 20.0}
# A document may take longer than an answer, as long as its bytes keep coming.
BINARY_SECONDS = 20.0
TRIES = 2
# Types whose `date` parameter means when it happened (FHIR R4 search parameters).
DATED: Final = frozenset(
    {"Observation", "Encounter", "DiagnosticReport", "Procedure", "Immunization", "CarePlan"}
)
_OWNER: Final = {"Coverage": "beneficiary"}
_NOT_THERE = frozenset({404, 410})
_REFUSED = frozenset({401, 403})
_BUSY = frozenset({429, 503})

# httpx writes every address it asks to its log, and an address holds the number of a person.
logging.getLogger("httpx").setLevel(logging.WARNING)


class CoreAddress(Struct, frozen=True):
    """Where an operator's core is and how it lets us in. Never logged.

    url: the FHIR base. token: a bearer token, or empty. name: what people read.
    """

    url: str
    source_id: str
    name: str
    token: str = ""

    def __repr__(self) -> str:
        return f"CoreAddress({self.source_id})"


class NotOfferedError(Exception):
    """The core does not know this kind of question."""


class FhirCore:
    """One core of one process: its connections, its breaker, its bulkhead."""

    def __init__(
        self, address: CoreAddress, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.source_id, self.name = address.source_id, address.name
        self.breaker, self.bulkhead = Breaker(), Bulkhead(CONNECTIONS_MAX)
        self._base = address.url.rstrip("/")
        self._clock = clock
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/fhir+json"} | _authorization(address),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def state(self, now: datetime) -> CoreState:
        return self.breaker.state(now.timestamp())

    async def close(self) -> None:
        await self._client.aclose()

    async def find_patients(self, system: str, value: str, budget: Budget) -> list[CoreResource]:
        listing = await self._list("Patient", {"identifier": f"{system}|{value}"}, budget)
        return listing.resources

    async def read(self, rtype: str, ident: str, budget: Budget) -> CoreResource | None:
        url = f"{self._base}/{rtype}/{quote(ident, safe='')}"
        try:
            body = await self._get_patiently(url, budget)
            found = read_resource(body, rtype)
        except NotOfferedError:
            return None
        return found if found.id == ident else _broken()

    async def list_type(
        self,
        patient: str,
        rtype: str,
        budget: Budget,
        *,
        updated_since: datetime | None = None,
        dated_since: date | None = None,
    ) -> Listing:
        # The bare id means nothing to some servers: a silent "no results" (measured).
        query = {_OWNER.get(rtype, "patient"): f"Patient/{patient}"}
        if updated_since is not None:
            query["_lastUpdated"] = f"ge{_instant(updated_since)}"
        if dated_since is not None and rtype in DATED:
            query["date"] = f"ge{dated_since.isoformat()}"
        return await self._list(rtype, query, budget)

    async def deleted_since(self, rtype: str, since: datetime, budget: Budget) -> Deletions:
        query = {"_since": _instant(since), "_count": str(COUNT)}
        found: set[str] = set()
        pages = _Pages(self._base, f"{self._base}/{rtype}/_history?{httpx.QueryParams(query)}")
        try:
            while pages.url is not None and len(pages.seen) < HISTORY_PAGES_MAX:
                page = read_page(await self._get_patiently(pages.url, budget))
                found |= deleted_references(page, rtype)
                pages.turn(page)
        except NotOfferedError:
            return Deletions(references=frozenset(), supported=False)
        return Deletions(references=frozenset(found), supported=True)

    def binary_of(self, url: str) -> str | None:
        return binary_of(self._base, url)

    async def read_binary(self, ident: str, budget: Budget) -> bytes | None:
        url = f"{self._base}/Binary/{quote(ident, safe='')}"
        try:
            body = await self._get(url, budget, BINARY_SECONDS, "too-large")
        except NotOfferedError:
            return None
        return read_binary(body, ident)

    async def missed_events(self, subscription: str, first: int, last: int) -> bytes | None:
        query = httpx.QueryParams({"eventsSinceNumber": str(first), "eventsUntilNumber": str(last)})
        url = f"{self._base}/Subscription/{quote(subscription, safe='')}/$events?{query}"
        try:
            return await self._get(url, "background")
        except NotOfferedError:
            return None

    async def _list(self, rtype: str, query: dict[str, str], budget: Budget) -> Listing:
        """All pages; when one of them fails, once more from the first with half the `_count`.

        A page in the middle is never asked again with another count: its place would be another.
        """
        try:
            return await self._walk(rtype, query, COUNT, budget)
        except CoreError as error:
            if error.fault not in ("timeout", "broken"):
                raise
        return await self._walk(rtype, query, COUNT // 2, budget)

    async def _walk(self, rtype: str, query: dict[str, str], count: int, budget: Budget) -> Listing:
        first = httpx.QueryParams(query | {"_count": str(count)})
        pages = _Pages(self._base, f"{self._base}/{rtype}?{first}")
        found: dict[str, CoreResource] = {}
        total: int | None = None
        foreign = False
        try:
            while pages.url is not None:
                page = read_page(await self._get(pages.url, budget))
                total = page.total if total is None else total
                size = len(found)
                foreign = _collect(page, rtype, found) or foreign
                pages.turn(page, grew=len(found) > size, full=len(page.entry) >= count)
        except NotOfferedError:
            return Listing(resources=[], total=None, complete=False, offered=False)
        counted = len(found) >= total if total is not None else not pages.ended_full
        complete = pages.ended and counted and not foreign
        return Listing(resources=list(found.values()), total=total, complete=complete)

    async def _get_patiently(self, url: str, budget: Budget) -> bytes:
        for last in (*[False] * (TRIES - 1), True):
            try:
                return await self._get(url, budget)
            except CoreError as error:
                if last or error.fault not in ("timeout", "broken", "unreachable"):
                    raise
        raise AssertionError("the last try returns or raises")

    async def _get(
        self, url: str, budget: Budget, seconds: float | None = None, beyond: CoreFault = "broken"
    ) -> bytes:
        """One request inside the bulkhead, told to the breaker. Raises CoreError, NotOfferedError.

        seconds: for the whole answer, when it is not the budget's. beyond: the fault of a larger one than is
        taken.
        """
        self.breaker.admit(self._now())
        try:
            with self.bulkhead.place():
                body = await self._answer(url, READ_SECONDS[budget], seconds, beyond)
        except CoreError as error:
            if error.fault == "full":
                self.breaker.abandoned()
            elif error.fault == "too-large":
                self.breaker.succeeded()
            else:
                self.breaker.failed(self._now(), error.retry_after_seconds)
            raise
        except NotOfferedError:
            self.breaker.succeeded()
            raise
        except asyncio.CancelledError:
            self.breaker.abandoned()
            raise
        self.breaker.succeeded()
        return body

    async def _answer(self, url: str, pause: float, seconds: float | None, beyond: CoreFault) -> bytes:
        timeout = httpx.Timeout(pause, connect=CONNECT_SECONDS)
        try:
            # httpx counts the pause between two bytes; a drip of bytes must end too.
            async with (
                asyncio.timeout(seconds or pause),
                self._client.stream("GET", url, timeout=timeout) as answer,
            ):
                _check_status(answer, self._clock.now())
                return await _limited(answer, beyond)
        except (TimeoutError, httpx.TimeoutException):
            raise CoreError("timeout") from None
        except (httpx.DecodingError, httpx.RemoteProtocolError):
            raise CoreError("broken") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise CoreError("unreachable") from None

    def _now(self) -> float:
        return self._clock.now().timestamp()


class _Pages:
    """Where a listing stands. ended: the server gave no further page; anything else is an interruption."""

    def __init__(self, base: str, first: str) -> None:
        self.url: str | None = first
        self.seen = {first}
        self.ended = False
        self.ended_full = False
        self._base = base
        self._barren = 0

    def turn(self, page: Page, *, grew: bool = True, full: bool = False) -> None:
        """Go to the next page: never out of the origin, never to a page that was there before."""
        current, self.url = self.url, None
        assert current is not None
        self._barren = 0 if grew else self._barren + 1
        if page.next is None:
            self.ended, self.ended_full = True, full
            return
        following = inside(self._base, current, page.next)
        known = following in self.seen or len(self.seen) >= PAGES_MAX or self._barren >= EMPTY_PAGES_MAX
        if following is not None and not known:
            self.seen.add(following)
            self.url = following


def _collect(page: Page, rtype: str, found: dict[str, CoreResource]) -> bool:
    """Keep each match once, the later version of two. True when something else stood among them."""
    foreign = False
    for entry in page.entry:
        if not entry.is_match:
            continue
        try:
            one = read_resource(bytes(entry.resource), rtype)
        except CoreError:
            foreign = True
            continue
        known = found.get(one.id)
        if known is None or (known.updated and one.updated and one.updated > known.updated):
            found[one.id] = one
    return foreign


def _check_status(answer: httpx.Response, now: datetime) -> None:
    """Decide by the status: what an OperationOutcome says differs between servers."""
    status = answer.status_code
    if status == httpx.codes.OK:
        return
    if status in _NOT_THERE:
        raise NotOfferedError
    if status in _REFUSED:
        raise CoreError("refused")
    if status in _BUSY:
        raise CoreError("busy", _retry_after(answer.headers.get("retry-after"), now))
    raise CoreError("broken")


def _retry_after(text: str | None, now: datetime) -> int | None:
    """Seconds of a Retry-After header, as number or as date (RFC 9110 §10.2.3)."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return int(text.strip()[:9])
    try:
        return max(0, round((parsedate_to_datetime(text) - now).total_seconds()))
    except (ValueError, TypeError):
        return None


async def _limited(answer: httpx.Response, beyond: CoreFault) -> bytes:
    parts: list[bytes] = []
    length = 0
    async for part in answer.aiter_bytes():
        length += len(part)
        if length > ANSWER_BYTES_MAX:
            raise CoreError(beyond)
        parts.append(part)
    return b"".join(parts)


def _authorization(address: CoreAddress) -> dict[str, str]:
    return {"Authorization": f"Bearer {address.token}"} if address.token else {}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _broken() -> CoreResource:
    raise CoreError("broken")
