"""The citizen's rotating identification code: 60 seconds, signed, opaque, and granting nothing.

The body holds the person's id encrypted under a key of ours, so a picture of the code tells a
stranger nothing and two codes of one person cannot be linked. Nothing is stored for a code.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from kernel.problems import Refused
from qr import tokens
from qr.problems import QR_FORGED
from qr.sealing import open_reference, seal_reference, sealed_bytes
from store.keys import KeyRing

CODE_TTL: Final = timedelta(seconds=60)
_LABEL: Final = b"healthbook citizen code"


class Identified(Struct, frozen=True, kw_only=True):
    """Whose code was scanned; `code_id` is the same for every scan of one drawn code."""

    patient_id: UUID
    code_id: UUID


class IdentificationCode(Struct, frozen=True, kw_only=True):
    qr: str
    expires_at: datetime


def draw_code(keys: KeyRing, patient_id: UUID, now: datetime) -> IdentificationCode:
    """The text of a fresh code."""
    body = seal_reference(keys, "identification", _LABEL, patient_id.bytes)
    expires_at = (now + CODE_TTL).replace(microsecond=0)
    return IdentificationCode(qr=tokens.sign(keys, "citizen", body, expires_at, now), expires_at=expires_at)


def read_code(keys: KeyRing, text: str, now: datetime) -> Identified | Refused:
    """Whose code it is. Refused: qr-expired after 60 seconds, qr-signature-invalid, qr-wrong-kind …"""
    body = tokens.read(keys, "citizen", text, now)
    if isinstance(body, Refused):
        return body
    opened = open_reference(keys, "identification", _LABEL, body)
    if opened is None:
        return Refused(problem=QR_FORGED, where="qr")
    drawn = hashlib.sha256(sealed_bytes(body)).digest()
    return Identified(patient_id=UUID(bytes=opened), code_id=UUID(bytes=drawn[:16]))
