"""FHIR R4 search and history pages as msgspec reads them; what they hold stays raw text."""

from datetime import datetime
from typing import Any, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec
from msgspec import Raw, Struct

from ehr.ports import CoreError, CoreResource


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


_page = msgspec.json.Decoder(Page)
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
