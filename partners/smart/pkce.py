"""PKCE (RFC 7636): whoever redeems a code is whoever asked for it. S256 alone."""

import hashlib
import hmac
import re
from typing import Final

from identity.tokens import to_base64url

METHOD: Final = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")


def is_challenge(text: str) -> bool:
    """Base64url of a SHA-256."""
    return _CHALLENGE.match(text) is not None


def answers(challenge: str, verifier: str) -> bool:
    """Whether the verifier is what the challenge was made of."""
    if not _VERIFIER.match(verifier):
        return False
    made = to_base64url(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(made, challenge)
