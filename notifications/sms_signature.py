"""What shows that a request comes from us, or a report from the gateway: HMAC-SHA256 over purpose, time and
body. Pure.

`X-Healthbook-Signature: t=<unix seconds>,v1=<hex>`, of `<purpose>\\n<unix seconds>\\n` and the body. The
purpose (`send`, `report`) is signed so that a request of ours, sent back to us, is no report.
"""

import hashlib
import hmac
import re
from datetime import datetime
from typing import Final, Literal

HEADER: Final = "X-Healthbook-Signature"
# A report is taken within this time of its signature.
SECONDS_MAX: Final = 300
Purpose = Literal["send", "report"]

_SIGNED = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def signature(secret: str, purpose: Purpose, body: bytes, now: datetime) -> str:
    """The header's value."""
    at = int(now.timestamp())
    return f"t={at},v1={_mac(secret, purpose, at, body)}"


def is_signed(secret: str, purpose: Purpose, body: bytes, header: str, now: datetime) -> bool:
    """Whether the header was made with the secret for this body, not long ago."""
    found = _SIGNED.fullmatch(header)
    if found is None or not secret:
        return False
    at = int(found[1])
    is_ours = hmac.compare_digest(_mac(secret, purpose, at, body), found[2])
    return is_ours and abs(now.timestamp() - at) <= SECONDS_MAX


def _mac(secret: str, purpose: Purpose, at: int, body: bytes) -> str:
    signed = f"{purpose}\n{at}\n".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
