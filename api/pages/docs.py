"""The document and a page to read it: own HTML, no script, nothing from elsewhere."""

import asyncio
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from api.pages.plain import LOOK, plain_page
from api.pages.static import answer_compressed
from api.request import Call

# As `make check` holds it to the handlers: building it here would answer nobody for six seconds.
COMMITTED: Final = Path(__file__).with_name("openapi.json")
HTML = "text/html; charset=utf-8"
PAGE_POLICY = f"default-src 'none'; {LOOK}; frame-ancestors 'none'; form-action 'none'"
PAGE = {"Content-Security-Policy": PAGE_POLICY}

# Pages for people stand outside the document that apps are built from.
HIDDEN: dict[str, Any] = {"actors": ("public",), "tags": ["docs"], "include_in_schema": False}


@get("/docs/openapi.json", operation_id="docs_document", **HIDDEN)
async def document(call: NamedDependency[Call]) -> Response[bytes]:
    """The OpenAPI document of this service."""
    return answer_compressed(call, await asyncio.to_thread(served_document), "application/json")


@get("/docs", operation_id="docs_page", **HIDDEN)
async def page(call: NamedDependency[Call]) -> Response[bytes]:
    """The OpenAPI document as a page."""
    return answer_compressed(call, await asyncio.to_thread(served_page), HTML, PAGE)


@cache
def served_document() -> bytes:
    """The contract that apps are built from."""
    return COMMITTED.read_bytes()


@cache
def served_page() -> bytes:
    """All operations, grouped by tag."""
    return render_page(msgspec.json.decode(served_document()))


def render_page(content: dict[str, Any]) -> bytes:
    """The document as HTML: audiences in the document's order, the subjects of each, Vietnamese first."""
    shared = content["components"]["responses"]
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for path, methods in content["paths"].items():
        for method, operation in methods.items():
            shown = _operation(method, path, operation, shared)
            by_tag.setdefault(operation["tags"][0], []).append(shown)
    tags = {tag["name"]: tag for tag in content["tags"]}
    groups = [_audience(group, tags, by_tag) for group in content["x-tagGroups"]]
    return plain_page("docs.html", info=content["info"], groups=groups)


def _audience(
    group: dict[str, Any], tags: dict[str, dict[str, Any]], by_tag: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """One audience with its subjects and their operations."""
    subjects = [
        {
            "name": name,
            "vi": tags[name]["x-description-vi"],
            "en": tags[name]["description"],
            "operations": by_tag.get(name, []),
        }
        for name in group["tags"]
    ]
    first = str(group["tags"][0].partition("-")[0])
    return {"id": first, "vi": group["x-name-vi"], "en": group["name"], "tags": subjects}


def _operation(method: str, path: str, operation: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """What the page says of one operation."""
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "vi": operation["x-summary-vi"],
        "en": operation["summary"],
        "description": operation.get("description", ""),
        "actors": operation["x-actors"],
        "parameters": operation["parameters"],
        "body": example_of(operation),
        "answers": [(status, described(said, shared)) for status, said in operation["responses"].items()],
    }


def described(response: dict[str, Any], shared: dict[str, Any]) -> str:
    """The description of a response, of the shared one where it refers to one."""
    name = response.get("$ref", "").rpartition("/")[2]
    return str((shared[name] if name else response)["description"])


def example_of(operation: dict[str, Any]) -> str:
    """The first example of the request body; empty where there is none."""
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shown = [one["value"] for one in media.get("examples", {}).values() if "value" in one]
    if "example" in media:
        shown.append(media["example"])
    return msgspec.json.format(msgspec.json.encode(shown[0]), indent=2).decode() if shown else ""


handlers: list[Any] = [document, page]
