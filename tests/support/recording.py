"""What tests send and get, kept for `make examples` when HEALTHBOOK_RECORD names a folder."""

import os
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

SIZE_MAX: Final = 64_000  # bytes: an example is cut to a few kilobytes, so what is far larger is no help


def record(
    place: Path, operation: dict[str, Any], request: httpx.Request, sent: Any, status: int, answered: Any
) -> None:
    """Append one exchange that succeeded to this process's file."""
    line = msgspec.json.encode(
        {
            "operation": operation["operationId"],
            "path": request.url.path,
            "query": dict(request.url.params),
            "sent": sent,
            "status": status,
            "answered": answered,
        }
    )
    if len(line) <= SIZE_MAX:
        place.mkdir(parents=True, exist_ok=True)
        with (place / f"{os.getpid()}.jsonl").open("ab") as file:
            file.write(line + b"\n")
