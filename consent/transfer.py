"""The secret that travels between the two screens: nonce and digits of the doctor's, 8 digits back.

Nonce and digits are derived from the request and the minute, so redrawing writes nothing and a
request of an unknown person draws the same. canonical_text is what an app reads from the signed
code, shows, signs and, offline, answers (security.md S5):

text    = JCS(request_body(request, nonce))
counter = first 64 bits of SHA-256(text), big-endian
answer  = HOTP(device secret, counter), 8 digits (RFC 4226)
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import rfc8785
from msgspec import Struct

from consent.models import AccessRequest
from kernel.problems import Refused
from qr import tokens
from qr.problems import QR_FORGED
from store.keys import KeyRing

REDRAW: Final = timedelta(seconds=60)
# A code drawn up to five minutes ago is answered; digits, being short, up to three.
NONCE_STEPS: Final = 5
DIGIT_STEPS: Final = 3
DIGITS: Final = 6
HOTP_DIGITS: Final = 8


class Display(Struct, frozen=True, kw_only=True):
    """What the doctor's screen shows now; ask again at redraw_at."""

    qr: str
    digits: str
    redraw_at: datetime


class Scanned(Struct, frozen=True, kw_only=True):
    request_id: UUID
    nonce: str


def draw(keys: KeyRing, request: AccessRequest, now: datetime) -> Display:
    """The signed code and the digits of this minute."""
    step = step_of(now)
    body = request_body(request, nonce_at(keys, request.request_id, step))
    expires_at = min((now + REDRAW).replace(microsecond=0), request.expires_at)
    return Display(
        qr=tokens.sign(keys, "doctor-request", body, expires_at, now),
        digits=digits_at(keys, request.request_id, step),
        redraw_at=expires_at,
    )


def read_scan(keys: KeyRing, text: str, now: datetime) -> Scanned | Refused:
    """What the app scanned from the doctor's screen."""
    body = tokens.read(keys, "doctor-request", text, now)
    if isinstance(body, Refused):
        return body
    try:
        return Scanned(request_id=UUID(str(body["request_id"])), nonce=str(body["nonce"]))
    except (KeyError, ValueError):
        return Refused(problem=QR_FORGED, where="qr")


def request_body(request: AccessRequest, nonce: str) -> dict[str, Any]:
    """What the signed code says: who asks for what, until when. Nothing about the citizen."""
    return {
        "request_id": str(request.request_id),
        "nonce": nonce,
        "doctor": request.practitioner_name,
        "licence": request.licence,
        "facility": request.facility_name,
        "purpose": request.purpose,
        "types": sorted(request.types),
        "since": request.since.isoformat() if request.since else None,
        "until": request.until.isoformat() if request.until else None,
        "duration_seconds": request.duration_seconds,
        "expires": int(request.expires_at.timestamp()),
    }


def canonical_text(request: AccessRequest, nonce: str) -> bytes:
    return rfc8785.dumps(request_body(request, nonce))


def counter_of(text: bytes) -> int:
    """The HOTP counter that binds an answer to every byte of the request."""
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def live_counters(keys: KeyRing, request: AccessRequest, now: datetime) -> list[int]:
    """Counters of the codes that were drawn for this request lately."""
    steps = _steps(request, now, NONCE_STEPS)
    nonces = [nonce for step in steps for nonce in _nonces_at(keys, request.request_id, step)]
    return [counter_of(canonical_text(request, nonce)) for nonce in nonces]


def nonce_is_live(keys: KeyRing, request: AccessRequest, nonce: str, now: datetime) -> bool:
    steps = _steps(request, now, NONCE_STEPS)
    return _among(nonce, [one for step in steps for one in _nonces_at(keys, request.request_id, step)])


def digits_are_live(keys: KeyRing, request: AccessRequest, digits: str, now: datetime) -> bool:
    steps = _steps(request, now, DIGIT_STEPS)
    return _among(digits, [one for step in steps for one in _digits_at(keys, request.request_id, step)])


def step_of(now: datetime) -> int:
    return int(now.timestamp() // REDRAW.total_seconds())


def nonce_at(keys: KeyRing, request_id: UUID, step: int) -> str:
    """32 bytes, base64url without padding."""
    return _nonces_at(keys, request_id, step)[0]


def digits_at(keys: KeyRing, request_id: UUID, step: int) -> str:
    return _digits_at(keys, request_id, step)[0]


def _nonces_at(keys: KeyRing, request_id: UUID, step: int) -> list[str]:
    raw = _derive(keys, b"nonce", request_id, step)
    return [base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in raw]


def _digits_at(keys: KeyRing, request_id: UUID, step: int) -> list[str]:
    numbers = [int.from_bytes(one[:16], "big") for one in _derive(keys, b"digits", request_id, step)]
    return [f"{number % 10**DIGITS:0{DIGITS}d}" for number in numbers]


def _derive(keys: KeyRing, what: bytes, request_id: UUID, step: int) -> list[bytes]:
    """Under the current pepper first; what another process drew with the one before or after holds too."""
    text = b"consent " + what + b"\0" + request_id.bytes + step.to_bytes(8, "big")
    return [hmac.digest(pepper, text, hashlib.sha256) for _, pepper in keys.secrets("pepper")]


def _steps(request: AccessRequest, now: datetime, count: int) -> range:
    last = step_of(now)
    return range(max(last - count, step_of(request.created_at)), last + 1)


def _among(given: str, live: list[str]) -> bool:
    matches = [hmac.compare_digest(given.encode(), one.encode()) for one in live]
    return any(matches)
