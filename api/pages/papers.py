"""Where a phone's camera lands that scanned the code of a printed paper.

The code follows `#`: no server and no log sees it in an address, and the script sends it in a body. Answers
come in as text alone (security.md S34, S35).
"""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.pages.docs import HTML
from api.pages.emergency import ASSETS, PAGE, SCRIPT
from api.pages.plain import plain_page
from api.request import Call, answer
from ehr.paper_proofs.codes import PAGE_PATH

HIDDEN: dict[str, Any] = {"actors": ("public",), "tags": ["papers"], "include_in_schema": False}


@get(PAGE_PATH, operation_id="paper_check_page", **HIDDEN)
async def check_page(call: NamedDependency[Call]) -> Response[bytes]:
    """Checks a paper whose code was scanned."""
    return answer(plain_page("public/paper_check.html", call), headers=PAGE, media_type=HTML)


@get(f"{PAGE_PATH}/check.js", operation_id="paper_check_script", **HIDDEN)
async def check_script() -> Response[bytes]:
    """The script of that page."""
    return answer((ASSETS / "paper_check.js").read_bytes(), media_type=SCRIPT)


handlers: list[Any] = [check_page, check_script]
