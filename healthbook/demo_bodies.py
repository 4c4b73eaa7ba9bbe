"""What `healthbook as` sends: JSON as it was typed, or a file as it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from healthbook.demo_acts import HandError

# What a file is by its ending, where --type says nothing.
MEDIA_TYPES: Final = {
    ".csv": "text/csv",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".xml": "application/xml",
    ".zip": "application/zip",
}


class Sent(Struct, frozen=True):
    """The bytes of a body and what they are."""

    content: bytes
    media_type: str


def body_of(verb: str, text: str | None, choice: Mapping[str, Any]) -> Any:
    """JSON values, or Sent for a file. A signed request is put together from JSON, from a file too.

    choice: `file`, `media_type`. Raises HandError for what is not JSON and for a file nobody knows.
    """
    if not choice["file"]:
        return read_json(text) if text else None
    path = Path(choice["file"])
    content = path.read_bytes()
    if verb == "sign":
        return read_json(content)
    media_type = choice["media_type"] or MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise HandError(f"What is {path.name}? Say it, such as --type text/csv.")
    return Sent(content, media_type)


def read_json(text: str | bytes) -> Any:
    """Raises HandError with the place."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise HandError(f"The body is not JSON: {error}. A file goes by --file.") from error
