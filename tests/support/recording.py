"""What tests send and get, kept for `make examples` when HEALTHBOOK_RECORD names a folder."""

import os
from pathlib import Path
from typing import Final

import httpx
import msgspec

SIZE_MAX: Final = 64_000  # bytes: an example is cut to a few kilobytes, so what is far larger is no help


def record(place: Path, operation_id: str, response: httpx.Response) -> None:
    """Append one exchange that succeeded to this process's file. Bodies are kept as they were sent."""
    request = response.request
    try:
        sent = request.content
    except httpx.RequestNotRead:
        return
    line = msgspec.json.encode(
        {
            "operation": operation_id,
            "path": request.url.path,
            "query": dict(request.url.params),
            "headers": {name: request.headers[name] for name in KEPT if name in request.headers},
            "sent": _text(sent),
            "status": response.status_code,
            "media_type": response.headers.get("content-type", "").partition(";")[0],
            "answered": _text(response.content),
        }
    )
    if len(line) <= SIZE_MAX:
        place.mkdir(parents=True, exist_ok=True)
        with (place / f"{os.getpid()}.jsonl").open("ab") as file:
            file.write(line + b"\n")


# The rest are names of clients, tokens and what the test's transport adds.
KEPT: Final = ("content-type", "x-step-up", "x-sent-at", "if-match")


def _text(body: bytes) -> str | None:
    """None for bytes that are no text: pictures, archives, MessagePack."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
