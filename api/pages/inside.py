"""Pages ask the service what every app asks it: the calls of `/v1`, within the process.

A page holds no authority of its own and reads no record. What it shows went through the same decision, filter
and row of the log as an app's answer (decisions/0012-pages-ask-v1.md), under the token of the page's session.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar.types import Message, Receive, Scope, Send

from api.problems import INTERNAL_ERROR
from api.request import Answer, Call
from kernel.access import DECIDED
from kernel.problems import PROBLEMS, Refused

ACCEPTED = 400
# What the service reads of a caller's own request: where it came from, and which language it prefers.
PASSED_ON = frozenset({b"host", b"x-forwarded-for", b"accept-language", b"user-agent"})

# What a page asks on its own says so (`hx-headers`): it keeps no session from its idle end.
BY_ITSELF = b"x-by-itself"

# In the state of a page's request: the service was asked under its token, and has said so if that ended.
HAS_ASKED = "has_asked"


class Reply(msgspec.Struct, frozen=True):
    """What a call answered. headers: lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def data(self) -> Any:
        """The JSON of the body; nothing where there is none."""
        return msgspec.json.decode(self.body) if self.body else None

    def refused(self) -> Refused | None:
        """The problem of the answer, where it is one."""
        if self.status < ACCEPTED:
            return None
        try:
            said = self.data()
            problem = PROBLEMS[said["code"]]
        except (msgspec.DecodeError, KeyError, TypeError):
            return Refused(problem=INTERNAL_ERROR)
        where = [one["where"] for one in said.get("errors", ())]
        return Refused(
            problem=problem,
            where=where[0] if where else None,
            retry_after_seconds=said.get("retry_after_seconds"),
            remaining=said.get("remaining"),
            link=said.get("link"),
        )


async def ask(
    call: Call,
    method: str,
    path: str,
    *,
    token: str = "",
    query: dict[str, Any] | None = None,
    body: Any = None,
    raw: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """One call of the service. body: becomes JSON; raw: bytes as they are, with their own content-type."""
    sent = raw if raw is not None else b"" if body is None else msgspec.json.encode(body)
    said = {"accept": "application/json", "content-length": str(len(sent)), **(headers or {})}
    if body is not None:
        said["content-type"] = "application/json"
    if token:
        said["authorization"] = f"Bearer {token}"
        call.request.scope["state"][HAS_ASKED] = True
    scope = inner_scope(call, method, path, said, query)
    gathered = _Gathered(sent)
    # A task of its own, so that what it decided (kernel/access.py DECIDED) stays its own.
    await asyncio.create_task(call.request.app(scope, gathered.receive, gathered.send))
    return Reply(gathered.status, gathered.headers, b"".join(gathered.parts))


def inner_scope(
    call: Call, method: str, path: str, headers: dict[str, str], query: dict[str, Any] | None = None
) -> Any:
    """The scope of a call from where the page's own came. query: members that are None are left out."""
    outer = call.request.scope
    passed = [(name, value) for name, value in outer["headers"] if name in PASSED_ON]
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return {
        "type": "http",
        "asgi": outer["asgi"],
        "http_version": outer["http_version"],
        "method": method,
        "scheme": outer["scheme"],
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(given, doseq=True).encode(),
        "root_path": "",
        "headers": [*passed, *((name.encode(), value.encode("latin-1")) for name, value in headers.items())],
        "client": outer.get("client"),
        "server": outer.get("server"),
        "extensions": {},
        "state": {
            "by_itself": any(name == BY_ITSELF for name, _ in outer["headers"]),
            # What one page reads is one opening to whoever looks at the log (audit/log.py).
            "request_id": call.request_id,
        },
    }


class _Gathered:
    """Both ends of one call: gives the body, keeps the answer."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.status = 500
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []

    async def receive(self) -> Any:
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            self.parts.append(message["body"])


class Passed(Answer):
    """An answer of the service that goes to the browser as it is made: files and streams, which are decided
    about again while they run. The browser gets the service's own headers. refused: makes a page of a
    refusal, which a person cannot read as it is."""

    def __init__(self, scope: Scope, refused: Callable[[Refused], Answer]) -> None:
        super().__init__(b"")
        self._inner, self._refused = scope, refused

    def to_asgi_response(self, *_args: Any, **_kwargs: Any) -> Any:
        return self._run

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = _Gathered(b"")
        is_refused = False

        async def once(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                is_refused = message["status"] >= ACCEPTED
                # The service counted this read as it left there; the page is no second one (audit/answered).
                DECIDED.set(None)
                if not is_refused:
                    message["headers"] = [one for one in message["headers"] if one[0].lower() not in _TWICE]
            if is_refused:
                await kept.send(message)
                return
            await send(message)

        await scope["litestar_app"](self._inner, receive, once)
        said = Reply(kept.status, kept.headers, b"".join(kept.parts)).refused() if is_refused else None
        if said is not None:
            await self._refused(said).to_asgi_response()(scope, receive, send)


# The edge sets these on every answer, and this one leaves through it twice.
_TWICE = frozenset({b"x-content-type-options", b"referrer-policy", b"x-request-id", b"x-robots-tag"})
