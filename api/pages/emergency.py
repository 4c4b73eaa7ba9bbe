"""Two pages for people without the app: a scanned emergency card, and the answer of a contact.

The secret of a card follows `#`, so no server and no log sees it in an address; the script sends it in a body
when somebody presses the button, for each opening is told to the person. Texts come in as text alone
(security.md S34, S35).
"""

from pathlib import Path
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.pages.docs import HTML
from api.pages.plain import LOOK, plain_page
from api.request import Call, answer
from consent.emergency_card.service import PAGE_PATH

ASSETS = Path(__file__).parent / "assets"
CONTACT_PATH = "/lien-he"
POLICY = (
    f"default-src 'none'; {LOOK}; script-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
)
PAGE = {"Content-Security-Policy": POLICY}
SCRIPT = "text/javascript; charset=utf-8"
HIDDEN: dict[str, Any] = {"actors": ("public",), "tags": ["emergency"], "include_in_schema": False}


@get(PAGE_PATH, operation_id="emergency_card_page", **HIDDEN)
async def card_page(call: NamedDependency[Call]) -> Response[bytes]:
    """Opens a card whose code was scanned."""
    return answer(plain_page("public/emergency_card.html", call), headers=PAGE, media_type=HTML)


@get(f"{PAGE_PATH}/card.js", operation_id="emergency_card_script", **HIDDEN)
async def card_script() -> Response[bytes]:
    """The script of the card's page."""
    return answer(_asset("emergency_card.js"), media_type=SCRIPT)


@get(CONTACT_PATH, operation_id="emergency_contact_page", **HIDDEN)
async def contact_page(call: NamedDependency[Call]) -> Response[bytes]:
    """Where a contact types the code of the message."""
    return answer(plain_page("public/emergency_contact.html", call), headers=PAGE, media_type=HTML)


@get(f"{CONTACT_PATH}/contact.js", operation_id="emergency_contact_script", **HIDDEN)
async def contact_script() -> Response[bytes]:
    """The script of the contact's page."""
    return answer(_asset("emergency_contact.js"), media_type=SCRIPT)


def _asset(name: str) -> bytes:
    return (ASSETS / name).read_bytes()


handlers: list[Any] = [card_page, card_script, contact_page, contact_script]
