"""The secret of a door: what the page after a sign-in alone has, so that a stolen cookie goes no further."""

import hashlib
import hmac
from uuid import UUID

from identity.tokens import to_base64url
from store.keys import KeyRing


def door_secret(keys: KeyRing, kind: bytes, session_id: UUID) -> str:
    """HMAC-SHA256(pepper, kind ‖ session), base64url. kind: the label of one sort of door."""
    return _secrets(keys, kind, session_id)[0]


def is_door_of(keys: KeyRing, kind: bytes, session_id: UUID, door: str) -> bool:
    """Whether a form carries that session's secret; one drawn under the pepper before or after holds too."""
    held = _secrets(keys, kind, session_id)
    matches = [hmac.compare_digest(one.encode(), door.encode()) for one in held]
    return any(matches)


def _secrets(keys: KeyRing, kind: bytes, session_id: UUID) -> list[str]:
    text = kind + session_id.bytes
    return [to_base64url(hmac.digest(pepper, text, hashlib.sha256)) for _, pepper in keys.secrets("pepper")]
