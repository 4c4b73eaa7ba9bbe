"""Is this certificate genuine? A page for whoever is shown one: no account, no trace.

The browser judges by itself with lists that it keeps, also without a network (static/verify.js); without
script a form asks the service. A certificate in an address stands behind `#`, where no server sees it (S34).
"""

from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.showing import CITIZEN, NONE, Shown, Visit
from api.pages.static import PLACE, TYPES, files, static_path
from api.pages.verify_view import MEANINGS, facts_of, meaning_of, vaccine_words_json
from api.request import Call, answer
from kernel.problems import Refused
from vaccination.shc.keys import issuer_of

TITLE: Final = ("Kiểm tra chứng nhận tiêm chủng", "Check a vaccination certificate")
# What the page needs without a network: its own files, and what every page has.
KEPT: Final = (".css", ".js", ".woff2", "icon.svg", "icon-180.png", ".webmanifest")
NOT_KEPT: Final = ("approve.js", "kiosk.css", "doctor.css", "staff.css", "demo.css")
WORKER: Final = "verify-worker.js"
# A field of several lines adds breaks; blanks are part of a code.
NO_BREAKS: Final = {ord("\r"): None, ord("\n"): None}


@get("/verify", operation_id="page_verify", **CITIZEN)
async def verify(call: NamedDependency[Call]) -> Response[bytes]:
    """Camera, picture or text; the verdict is made in the browser."""
    return _page(call)


@post("/verify", operation_id="page_verify_text", **CITIZEN)
async def verify_text(call: NamedDependency[Call]) -> Response[bytes]:
    """The service's verdict, for browsers without script."""
    text = (await _visit(call).form()).get("text", "").translate(NO_BREAKS)
    said = await _visit(call).send("POST", "/v1/public/certificates/verify", {"text": text})
    if isinstance(said, Refused):
        return _page(call, status=said.problem.status, problem=said)
    return _page(call, meaning=meaning_of(said["status"]), verdict=said)


@get(f"/{WORKER}", operation_id="page_verify_worker", **CITIZEN)
async def worker() -> Response[bytes]:
    """Keeps the page for days without a network. Each release has another text: browsers take it anew."""
    kept = [static_path(name) for name in files() if name.endswith(KEPT) and not name.startswith(NOT_KEPT)]
    script = b"const FILES = " + msgspec.json.encode(kept) + b";\n" + (PLACE / WORKER).read_bytes()
    headers = {
        "Service-Worker-Allowed": "/verify",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
    }
    return answer(script, headers=headers, media_type=TYPES[".js"])


def _visit(call: Call) -> Visit:
    """Nobody's, whoever is signed in: what a browser keeps of the page holds nothing of a session."""
    return Visit(call, "citizen", "")


def _page(call: Call, status: int = 200, meaning: Any = None, verdict: Any = NONE, **members: Any) -> Shown:
    visit = _visit(call)
    english = visit.display.language == "en"
    return visit.show(
        "public/verify.html",
        TITLE,
        status=status,
        meanings=MEANINGS,
        meaning=meaning,
        facts=facts_of(dict(verdict), english) if verdict else {},
        vaccines=vaccine_words_json(english),
        issuer=issuer_of(call.origin),
        **members,
    )


handlers: list[Any] = [verify, verify_text, worker]
