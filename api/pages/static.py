"""Styles, scripts, fonts and pictures of the pages: our own and those of libraries, which lie beside them.

Their address holds the digest of all of them: a browser keeps them for a year and asks anew after a change.
They hold nothing of a person, and so may be compressed; a page, which does, is not (BREACH).
"""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.problems import NOT_FOUND
from api.request import Call, answer
from kernel.problems import refuse

PLACE: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
KEPT: Final = "public, max-age=31536000, immutable"


@cache
def files() -> dict[str, bytes]:
    """Every file by its path under static/."""
    found = (path for path in sorted(PLACE.rglob("*")) if path.suffix in TYPES)
    return {path.relative_to(PLACE).as_posix(): path.read_bytes() for path in found}


@cache
def digest() -> str:
    """Of every file: a change of one is another address of all."""
    whole = hashlib.sha256()
    for name, content in files().items():
        whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return whole.hexdigest()[:16]


def static_path(name: str) -> str:
    """Where a page finds a file. An unknown name is a mistake of ours, which any test of that page meets."""
    assert name in files(), name
    return f"/static/{digest()}/{name}"


@cache
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def answer_compressed(
    call: Call, content: bytes, kind: str, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Content of this process's whole life that holds nothing of a person: compressed for who takes it."""
    told = {**(headers or {}), "Vary": "Accept-Encoding"}
    if kind.startswith("font/") or "gzip" not in (call.header("accept-encoding") or ""):
        return answer(content, headers=told, media_type=kind)
    return answer(_compressed(content), headers={**told, "Content-Encoding": "gzip"}, media_type=kind)


@get(
    "/static/{version:str}/{name:path}",
    operation_id="static_file",
    actors=("public",),
    tags=["pages"],
    include_in_schema=False,
    problems=(),
)
async def static_file(name: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """One file. Pages of an older version get today's."""
    found = name.lstrip("/")
    if found not in files():
        refuse(NOT_FOUND)
    return answer_compressed(call, files()[found], TYPES[Path(found).suffix], {"Cache-Control": KEPT})


handlers: list[Any] = [static_file]
