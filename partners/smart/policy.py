"""Numbers of the way through the browser, and which lengths of time a person chooses among."""

import hashlib
import hmac
from datetime import timedelta
from typing import Final
from uuid import UUID

from identity.tokens import from_base64url, to_base64url
from kernel import spoken_codes
from partners.smart.requests import Wish
from store.keys import KeyRing

# RFC 9126 §2.2: so long a client may take to open the person's browser.
PUSHED_LIFE: Final = timedelta(seconds=90)
LIFE: Final = timedelta(minutes=10)
CODE_LIFE: Final = timedelta(seconds=60)
TRIES: Final = 5
DIGITS: Final = 6
SIGNS: Final = 8
QR_PREFIX: Final = "SSK-KET-NOI:"
TYPED_MAX: Final = 40
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
_SECRET_BYTES: Final = 32
# An app that does not ask to come back gets one day.
DAYS: Final = (7, 30, 90, 365)
ONE_DAY: Final = (1,)


def days_offered(wish: Wish, *, short: bool = False) -> tuple[int, ...]:
    """What the person chooses among; none of them is chosen beforehand (vietnam.md §9).

    short: who has a device of the own and only signed in at the identity provider lets nobody in for longer
    than a day, as tier D (security.md S8).
    """
    return DAYS if wish.offline and not short else ONE_DAY


def read_token(text: str) -> tuple[UUID, bytes] | None:
    """(request, SHA-256 of the secret) of a cookie, a request_uri or a code; None for no token of ours."""
    raw = from_base64url(text)
    if raw is None or len(raw) != 16 + _SECRET_BYTES:
        return None
    return UUID(bytes=raw[:16]), hashlib.sha256(raw[16:]).digest()


def derived(token: str, purpose: str) -> str:
    """A second secret of the same browser, which nobody knows who does not have its cookie."""
    return to_base64url(hmac.digest(token.encode(), purpose.encode(), hashlib.sha256))


def page_code(keys: KeyRing, request_id: UUID) -> str:
    """The eight signs that a page shows for the app: 40 bits, the same each time the page is drawn."""
    _, pepper = keys.secret("pepper")
    made = hmac.digest(pepper, b"connect page\0" + request_id.bytes, hashlib.sha256)
    return "".join(spoken_codes.ALPHABET[byte % 32] for byte in made[:SIGNS])


def code_hashes(keys: KeyRing, code: str) -> list[bytes]:
    """HMAC-SHA256(pepper, code) under each pepper; a row keeps the first, of the current one."""
    text = b"connect code\0" + code.encode()
    return [hmac.digest(pepper, text, hashlib.sha256) for _, pepper in keys.secrets("pepper")]


def digits_hashes(keys: KeyRing, request_id: UUID, digits: str) -> list[bytes]:
    """Of the digits that the app shows, likewise."""
    text = b"connect digits\0" + request_id.bytes + digits.encode()
    return [hmac.digest(pepper, text, hashlib.sha256) for _, pepper in keys.secrets("pepper")]
