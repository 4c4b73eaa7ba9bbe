"""What one app calls one person's entries: ids that no two apps share, and no table of them.

An id of ours is 128 bits (ehr/intake/ids.py). AES with a key of client and person turns them into 128 others
and back, so two apps cannot match their ids of a person, and an app's id names nothing for another app.
"""

import hashlib
import hmac
import re
from typing import Final, Self
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from store.keys import KeyRing

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX: Final = re.compile(r"[0-9a-f]{32}")


class Aliases:
    """Both ways for one client and one person."""

    def __init__(self, key: bytes) -> None:
        # One block and nothing else: there is no pattern of blocks that ECB could show.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305

    @classmethod
    def of(cls, keys: KeyRing, client_id: UUID, patient_id: UUID) -> Self:
        secret = keys.first_secret("alias")
        text = b"ids of a client\0" + client_id.bytes + patient_id.bytes
        return cls(hmac.digest(secret, text, hashlib.sha256))

    def alias(self, ident: str) -> str:
        """The app's id of a row; in the form of ours. An id of another form has no way back."""
        if _HEX.fullmatch(ident) or _UUID.fullmatch(ident):
            return _formed(self._cipher.encryptor().update(UUID(ident).bytes), ident)
        digest = hashlib.sha256(ident.encode()).digest()[:16]
        return "x." + self._cipher.encryptor().update(digest).hex()

    def ident(self, alias: str) -> str | None:
        """Our id; None where no row could have this alias."""
        if not (_HEX.fullmatch(alias) or _UUID.fullmatch(alias)):
            return None
        return _formed(self._cipher.decryptor().update(UUID(alias).bytes), alias)


def _formed(data: bytes, like: str) -> str:
    return str(UUID(bytes=data)) if "-" in like else data.hex()
