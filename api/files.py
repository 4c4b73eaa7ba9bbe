"""Files that leave: the headers, and a stream that may be cut while it flows (security.md S13, S35)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeAlias

from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from api.request import Answer, answer

PIECE_BYTES: Final = 64 * 1024
# The decision is asked for again at least this often.
DECIDED_BYTES: Final = 1024 * 1024
DECIDED_SECONDS: Final = 1.0

StreamEnd = Literal["whole", "no-access", "client-gone"]
Again: TypeAlias = Callable[[], Awaitable[bool]]
Finish: TypeAlias = Callable[[StreamEnd], Awaitable[None]]

_EXTENSIONS: Final = {
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/pdf": "pdf",
    "application/dicom": "dcm",
    "application/fhir+json": "json",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/calendar": "ics",
}


def file_headers(name: str, media_type: str) -> dict[str, str]:
    """An attachment under a name of ours (RFC 6266): no word of a record in a header, and nothing runs."""
    extension = _EXTENSIONS.get(media_type, "bin")
    return {
        "Content-Disposition": f'attachment; filename="{name}.{extension}"',
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    }


def file_answer(name: str, media_type: str, data: bytes) -> Answer:
    """A whole file."""
    return answer(data, headers=file_headers(name, media_type), media_type=media_type)


class StreamedFile(Response[Any]):
    """A file in pieces. `again` decides anew on the way; `finish` is told once how it ended."""

    def __init__(self, name: str, media_type: str, data: bytes, again: Again, finish: Finish) -> None:
        super().__init__(content=b"", media_type=media_type)
        self._stream = _Stream(name, media_type, data, again, finish)

    def to_asgi_response(self, *_args: Any, **_kwargs: Any) -> ASGIApp:  # type: ignore[override]
        return self._stream


class _Stream:
    """The ASGI application of one file on its way."""

    def __init__(self, name: str, media_type: str, data: bytes, again: Again, finish: Finish) -> None:
        self._headers = {
            **file_headers(name, media_type),
            "Content-Type": media_type,
            # A reader sees by the length that a stream was cut.
            "Content-Length": str(len(data)),
        }
        self._data = memoryview(data)
        self._again = again
        self._finish = finish

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        gone = asyncio.create_task(_gone(receive))
        end: StreamEnd = "client-gone"
        try:
            headers = [(k.lower().encode(), v.encode()) for k, v in self._headers.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            end = await self._send_pieces(gone, send)
            if end == "whole":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            end = "client-gone"
        finally:
            gone.cancel()
            await asyncio.shield(self._finish(end))

    async def _send_pieces(self, gone: "asyncio.Task[None]", send: Send) -> StreamEnd:
        clock = asyncio.get_running_loop()
        since, decided_at = 0, clock.time()
        for start in range(0, len(self._data), PIECE_BYTES):
            piece = bytes(self._data[start : start + PIECE_BYTES])
            if since + len(piece) > DECIDED_BYTES or clock.time() - decided_at >= DECIDED_SECONDS:
                if not await self._again():
                    return "no-access"
                since, decided_at = 0, clock.time()
            if gone.done():
                return "client-gone"
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            since += len(piece)
        return "whole"


async def _gone(receive: Receive) -> None:
    """Returns when the reader has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
