"""Every answer that a test gets is held to the committed document: an operation that answers with a status, a
type or a body of which openapi/openapi.json says nothing fails that test, and so does a body that a handler
took although the document forbids it.

The document is the file, because making it anew takes seconds: after a change of a handler or a Struct it is
made again by `healthbook openapi`.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx
import jsonschema_rs
import msgspec

from api.document.examples import is_json
from tests.support.recording import record

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
NAME: Final = "urn:healthbook:contract"
RECORDINGS: Final = os.environ.get("HEALTHBOOK_RECORD")
# What a server in front of every route answers, whatever was asked for.
OF_NO_OPERATION: Final = {405}
WITHOUT_BODY: Final = {204, 303, 304}


# What answers 2xx and names the items that it refused.
JUDGED_BY_ITEM = {"me_send_vitals"}


class UndocumentedError(AssertionError):
    """The service does what its document does not say. The message names the operation and the place."""


async def as_documented(response: httpx.Response) -> None:
    """An event hook of a client. Raises UndocumentedError."""
    request = response.request
    found = operation_at(request.method, request.url.path)
    if found is None or response.status_code in OF_NO_OPERATION:
        return
    pointer, operation = found
    declared = operation["responses"].get(str(response.status_code))
    if declared is None:
        raise UndocumentedError(f"{operation['operationId']} answered {response.status_code}: {_hint()}")
    media_type = "" if response.status_code in WITHOUT_BODY else _media_type(response.headers)
    allowed = _resolved(declared).get("content", {})
    if (allowed or media_type) and media_type not in allowed:
        raise UndocumentedError(
            f"{operation['operationId']} {response.status_code} is {media_type or 'without a type'}, "
            f"and the document says {', '.join(allowed) or 'nothing'}: {_hint()}"
        )
    answered = None
    if is_json(media_type):
        answered = msgspec.json.decode(await response.aread())
        place = declared.get("$ref", f"#{pointer}/responses/{response.status_code}")
        _hold(answered, f"{place}/content/{_escaped(media_type)}/schema", operation, "answer")
    if response.is_success:
        _hold_what_was_sent(request, pointer, operation)
        if RECORDINGS:
            await response.aread()
            record(Path(RECORDINGS), operation["operationId"], response)


def _hold_what_was_sent(request: httpx.Request, pointer: str, operation: dict[str, Any]) -> None:
    if operation["operationId"] in JUDGED_BY_ITEM:
        return
    media_type = _media_type(request.headers)
    sent = _sent(request)
    if sent is not None and media_type in operation.get("requestBody", {}).get("content", {}):
        place = f"#{pointer}/requestBody/content/{_escaped(media_type)}/schema"
        _hold(sent, place, operation, "body that was taken")


def operation_at(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """A request's operation as (JSON pointer, object); None for a page or a route outside the document."""
    node = _tree()
    for part in path.strip("/").split("/"):
        found = node.get(part) or node.get("{}")
        if found is None:
            return None
        node = found
    return node.get(method) if isinstance(node.get(method), tuple) else None


@cache
def document() -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(DOCUMENT.read_bytes())
    return decoded


@cache
def _tree() -> dict[str, Any]:
    """Path part → the next; an upper-case method → its operation."""
    tree: dict[str, Any] = {}
    for path, operations in document()["paths"].items():
        node = tree
        for part in path.strip("/").split("/"):
            node = node.setdefault("{}" if part.startswith("{") else part, {})
        for method, operation in operations.items():
            node[method.upper()] = (f"/paths/{_escaped(path)}/{method}", operation)
    return tree


@cache
def _registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(NAME, document())], draft=jsonschema_rs.Draft202012)


@cache
def validator_at(place: str) -> jsonschema_rs.Draft202012Validator:
    """A validator of the schema at a place of the document, such as #/components/schemas/Problem."""
    return jsonschema_rs.Draft202012Validator(
        {"$ref": NAME + place}, registry=_registry(), validate_formats=True
    )


@cache
def validator_of(schema: str) -> jsonschema_rs.Draft202012Validator:
    """A validator of a schema, as JSON, whose references lead into the document."""
    text = schema.replace('"#/components/', f'"{NAME}#/components/')
    return jsonschema_rs.Draft202012Validator(
        msgspec.json.decode(text), registry=_registry(), validate_formats=True
    )


def _hold(value: Any, place: str, operation: dict[str, Any], what: str) -> None:
    validator = validator_at(place)
    if validator.is_valid(value):
        return
    error = next(iter(validator.iter_errors(value)))
    where = "/".join(str(step) for step in error.instance_path) or "the whole of it"
    raise UndocumentedError(f"{operation['operationId']}, {what}, {where}: {error.message[:600]}: {_hint()}")


def _media_type(headers: httpx.Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _sent(request: httpx.Request) -> Any:
    """The JSON that was sent; None when it was something else."""
    if not is_json(_media_type(request.headers)):
        return None
    try:
        return msgspec.json.decode(request.content)
    except (httpx.RequestNotRead, msgspec.DecodeError):
        return None


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    place: Any = document()
    for step in node["$ref"].removeprefix("#/").split("/"):
        place = place[step]
    resolved: dict[str, Any] = place
    return resolved


def _escaped(text: str) -> str:
    """One step of a JSON pointer in a URL's fragment (RFC 6901 §6)."""
    return text.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _hint() -> str:
    return "mend the handler or its types, or run `healthbook openapi` where the document is old"
