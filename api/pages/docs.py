"""The document and a page to read it: own HTML, no script, nothing from elsewhere."""

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get

from api.request import answer

HTML = "text/html; charset=utf-8"
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; form-action 'none'"
PAGE = {"Content-Security-Policy": PAGE_POLICY}
ASSETS = Path(__file__).parent / "assets"

# Pages for people stand outside the document that apps are built from.
HIDDEN: dict[str, Any] = {"actors": ("public",), "tags": ["docs"], "include_in_schema": False}


class Document(msgspec.Struct):
    """The OpenAPI document itself."""

    openapi: str


@get("/docs/openapi.json", operation_id="docs_document", **HIDDEN)
async def document() -> Response[Document]:
    """The OpenAPI document of this service."""
    return answer(served_document())


@get("/docs", operation_id="docs_page", **HIDDEN)
async def page() -> Response[bytes]:
    """The OpenAPI document as a page."""
    return answer(served_page(), headers=PAGE, media_type=HTML)


@get("/docs/style.css", operation_id="docs_style", **HIDDEN)
async def style() -> Response[bytes]:
    """The style of the pages."""
    return answer((ASSETS / "style.css").read_bytes(), media_type="text/css; charset=utf-8")


@cache
def served_document() -> bytes:
    """Built at the first request: the generator is slow to import, and a server rarely needs it."""
    from api.app import collect_handlers  # noqa: PLC0415
    from api.openapi import document_bytes  # noqa: PLC0415

    return document_bytes(collect_handlers(demo=False))


@cache
def served_page() -> bytes:
    """All operations, grouped by tag."""
    return render_page(msgspec.json.decode(served_document())).encode()


def render_html(title: str, body: str) -> str:
    """A page: own style, no script, nothing from elsewhere."""
    return (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="/docs/style.css"></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def render_page(content: dict[str, Any]) -> str:
    """The document as HTML: audiences in the document's order, the subjects of each, Vietnamese first."""
    info, shared = content["info"], content["components"]["responses"]
    by_tag: dict[str, list[str]] = {}
    for path, methods in content["paths"].items():
        for method, operation in methods.items():
            shown = render_operation(method, path, operation, shared)
            by_tag.setdefault(operation["tags"][0], []).append(shown)
    tags = {tag["name"]: tag for tag in content["tags"]}
    sections = "".join(render_audience(group, tags, by_tag) for group in content["x-tagGroups"])
    contents = "".join(
        f'<li><a href="#{_audience(group)}">{_both(group["x-name-vi"], group["name"])}</a></li>'
        for group in content["x-tagGroups"]
    )
    text = "".join(f"<p>{escape(part)}</p>" for part in info["description"].split("\n\n"))
    return render_html(
        info["title"],
        f'{text}<p><a href="/docs/openapi.json">openapi.json</a></p><nav><ul>{contents}</ul></nav>{sections}',
    )


def render_audience(
    group: dict[str, Any], tags: dict[str, dict[str, Any]], by_tag: dict[str, list[str]]
) -> str:
    """One audience with its subjects and their operations. by_tag: blocks of render_operation."""
    subjects = "".join(
        f'<h3 id="{name}">{_both(tags[name]["x-description-vi"], tags[name]["description"])} '
        f"<code>{name}</code></h3>{''.join(by_tag.get(name, ()))}"
        for name in group["tags"]
    )
    return f'<h2 id="{_audience(group)}">{_both(group["x-name-vi"], group["name"])}</h2>{subjects}'


def _audience(group: dict[str, Any]) -> str:
    return str(group["tags"][0].partition("-")[0])


def _both(vi: str, en: str) -> str:
    return f'{escape(vi)} <span class="en" lang="en">{escape(en)}</span>'


def render_operation(method: str, path: str, operation: dict[str, Any], shared: dict[str, Any]) -> str:
    """One operation as a block that opens without script."""
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> ({escape(p['in'])}) {escape(p['description'])}</li>"
        for p in operation["parameters"]
    )
    answers = "".join(
        f"<li><code>{escape(status)}</code> {escape(described(response, shared))}</li>"
        for status, response in operation["responses"].items()
    )
    more = f"<p>{escape(operation['description'])}</p>" if "description" in operation else ""
    name = escape(operation["operationId"])
    return (
        f'<details class="operation" id="{name}"><summary><b>{method.upper()}</b> '
        f"<code>{escape(path)}</code><br>{_both(operation['x-summary-vi'], operation['summary'])}</summary>"
        f'<div lang="en">{more}<p>{escape(", ".join(operation["x-actors"]))} · '
        f"<code>{name}</code></p>{render_body(operation)}"
        f"<h4>Parameters</h4><ul>{parameters or '<li>none</li>'}</ul>"
        f"<h4>Answers</h4><ul>{answers}</ul></div></details>"
    )


def described(response: dict[str, Any], shared: dict[str, Any]) -> str:
    """The description of a response, of the shared one where it refers to one."""
    name = response.get("$ref", "").rpartition("/")[2]
    return str((shared[name] if name else response)["description"])


def render_body(operation: dict[str, Any]) -> str:
    """The first example of the request body."""
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shown = [one["value"] for one in media.get("examples", {}).values() if "value" in one]
    if "example" in media:
        shown.append(media["example"])
    if not shown:
        return ""
    text = msgspec.json.format(msgspec.json.encode(shown[0]), indent=2).decode()
    return f"<h4>Body</h4><pre>{escape(text)}</pre>"


handlers: list[Any] = [document, page, style]
