"""Opaque tokens: the actor's id in front finds the shard, 256 random bits open the door."""

import base64
import binascii
import hashlib
import secrets
from uuid import UUID

SECRET_BYTES = 32


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def write_token(*parts: bytes) -> str:
    return to_base64url(b"".join(parts))


def read_access_token(token: str) -> tuple[UUID, bytes] | None:
    """(actor id, SHA-256 of the secret), or None when the text is no token of ours."""
    raw = from_base64url(token)
    if raw is None or len(raw) != 16 + SECRET_BYTES:
        return None
    return UUID(bytes=raw[:16]), digest(raw[16:])


def read_refresh_token(token: str) -> tuple[UUID, UUID, bytes] | None:
    """(actor id, session id, secret), or None."""
    raw = from_base64url(token)
    if raw is None or len(raw) != 32 + SECRET_BYTES:
        return None
    return UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), raw[32:]


def digest(secret: bytes) -> bytes:
    """What rests in the database: 256 random bits need no slow hash."""
    return hashlib.sha256(secret).digest()


def to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
