"""FHIR R4 search and history pages as msgspec reads them; what they hold stays raw text."""

import re
from datetime import datetime
from typing import Any, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec
from msgspec import Raw, Struct

from ehr.intake.hidden import decode
from ehr.ports import CoreError, CoreResource

# FHIR R4 §2.24.0.1: the id of a resource.
_BINARY = re.compile(r"Binary/([A-Za-z0-9.-]{1,64})")


class Link(Struct):
    relation: str = ""
    url: str = ""


class _Search(Struct):
    mode: str = "match"


class _Request(Struct):
    method: str = ""
    url: str = ""


class Entry(Struct):
    resource: Raw = Raw()
    search: _Search | None = None
    request: _Request | None = None

    @property
    def is_match(self) -> bool:
        return bool(bytes(self.resource)) and (self.search is None or self.search.mode == "match")


class Page(Struct):
    resource_type: Literal["Bundle"] = msgspec.field(name="resourceType")
    total: int | None = None
    link: list[Link] = []
    entry: list[Entry] = []

    @property
    def next(self) -> str | None:
        return next((one.url for one in self.link if one.relation == "next" and one.url), None)


class _Meta(Struct, rename="camel"):
    version_id: Any = None
    last_updated: Any = None


class _Head(Struct):
    resource_type: str = msgspec.field(name="resourceType")
    id: str = ""
    meta: _Meta | None = None


class _Binary(Struct):
    """R4 Binary.data; a server of STU3 habits calls it content, and is not read."""

    resource_type: str = msgspec.field(name="resourceType", default="")
    id: str = ""
    data: str | None = None


_page = msgspec.json.Decoder(Page)
_binary = msgspec.json.Decoder(_Binary)
_head = msgspec.json.Decoder(_Head)


def read_page(body: bytes) -> Page:
    """A Bundle. Raises CoreError `broken` for everything else."""
    try:
        return _page.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CoreError("broken") from None


def read_resource(raw: bytes, rtype: str) -> CoreResource:
    """A resource of that type with an id. Raises CoreError `broken`."""
    try:
        head = _head.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CoreError("broken") from None
    if head.resource_type != rtype or not head.id:
        raise CoreError("broken")
    meta = head.meta or _Meta()
    return CoreResource(
        rtype=rtype, id=head.id, raw=raw, version=_text(meta.version_id), updated=_instant(meta.last_updated)
    )


def read_binary(body: bytes, ident: str) -> bytes | None:
    """What a Binary holds: of its JSON, or the bare bytes that some servers always answer with.

    Raises CoreError `broken` for another resource.
    """
    try:
        found = _binary.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    if not found.resource_type:
        return body
    if found.resource_type != "Binary" or found.id != ident:
        raise CoreError("broken")
    if found.data is None:
        return None
    data = decode(found.data)
    if data is None:
        raise CoreError("broken")
    return data


def binary_of(base: str, url: str) -> str | None:
    """The id in `Binary/<id>` under `base`, written in full or relative to it; None for any other address."""
    root = base.rstrip("/") + "/"
    made = inside(base, root, url)
    found = _BINARY.fullmatch(made.removeprefix(root)) if made is not None else None
    return found.group(1) if found is not None else None


def deleted_references(page: Page, rtype: str) -> set[str]:
    """`Type/id` of every deletion on a history page; what else stands there is not looked at."""
    found = set()
    for entry in page.entry:
        if entry.request is not None and entry.request.method == "DELETE":
            named = entry.request.url.partition("/_history")[0].rstrip("/").split("/")[-2:]
            if len(named) == 2 and named[0] == rtype:
                found.add("/".join(named))
    return found


def inside(base: str, current: str, following: str) -> str | None:
    """The address of the next page, where it stays under `base`; None for any other place."""
    try:
        made = urljoin(current, following)
        ours, theirs = urlsplit(base), urlsplit(made)
        same = _origin(ours) == _origin(theirs)
    except ValueError:
        return None
    root = ours.path.rstrip("/")
    below = theirs.path == root or theirs.path.startswith(root + "/")
    plain = "@" not in theirs.netloc and ".." not in theirs.path and "%2e" not in theirs.path.lower()
    return made if same and below and plain and "\\" not in made else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
