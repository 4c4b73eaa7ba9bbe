"""The requests that the document's examples make."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from api.document.examples import FORM, is_json
from tests.support.answers import document

# What a body of bytes begins like: the document cannot show it.
BYTES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff\xe0", "application/msgpack": b"\x80"}


@dataclass(frozen=True)
class Request:
    """One request of an operation: its first or another type of body. actor: a word of docs/roles.md."""

    operation_id: str
    actor: str
    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    is_shown: bool  # whether the body is the document's example


def example_requests() -> Iterator[Request]:
    """One for every operation and every type of body it takes."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            url, headers = _address(path, operation), _headers(operation)
            known = {
                "operation_id": operation["operationId"],
                "actor": operation["x-actors"][0],
                "method": method.upper(),
                "url": url,
            }
            bodies = operation.get("requestBody", {}).get("content", {})
            if not bodies:
                yield Request(**known, headers=headers, content=None, is_shown=False)
            for media_type, media in bodies.items():
                yield Request(
                    **known,
                    headers=headers | {"Content-Type": media_type},
                    content=_encoded(media, media_type),
                    is_shown="example" in media,
                )


def _address(path: str, operation: dict[str, Any]) -> str:
    """The path with its examples, and the query that must be sent."""
    query = {}
    for one in operation["parameters"]:
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", quote(str(one["example"]), safe=""))
        elif one["in"] == "query" and one.get("required"):
            query[one["name"]] = one["example"]
    return f"{path}?{urlencode(query)}" if query else path


def _headers(operation: dict[str, Any]) -> dict[str, str]:
    return {
        one["name"]: str(one["example"])
        for one in operation["parameters"]
        if one["in"] == "header" and one.get("required")
    }


def _encoded(media: dict[str, Any], media_type: str) -> bytes:
    if "example" not in media:
        return BYTES.get(media_type, b"Example0")
    if is_json(media_type):
        return json.dumps(media["example"]).encode()
    return (urlencode(media["example"]) if media_type == FORM else str(media["example"])).encode()
