"""Who answers for a list: the signature in it or a seal beside it, by the signer that was pinned (S29)."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from vaccination.trust.models import ListedKeys, Seal, TrustList
from vaccination.verify.signatures import ES256, PS256, holds

_SEAL: Final = "healthbook-trust-seal/1"


class Voucher(msgspec.Struct, frozen=True):
    """The version and time that the pinned signer vouches for."""

    version: int
    issued_at: datetime


def make_seal(
    name: str, data: bytes, version: int, issued_at: datetime, sign: Callable[[bytes], bytes]
) -> Seal:
    """sign: r‖s of 64 bytes with P-256, or PS256."""
    digest = sha256(data).hexdigest()
    signature = base64.b64encode(sign(_sealed(name, version, issued_at, digest))).decode()
    return Seal(name=name, version=version, issued_at=issued_at, sha256=digest, signature=signature)


def read_seal(data: bytes) -> Seal | None:
    try:
        seal = msgspec.json.decode(data, type=Seal)
    except (msgspec.DecodeError, RecursionError):
        return None
    return seal if seal.issued_at.tzinfo is not None else None


def voucher(pinned: TrustList, data: bytes, listed: ListedKeys, seal: Seal | None) -> Voucher | None:
    """None: nobody who was pinned answers for these bytes."""
    if seal is not None:
        is_good = (
            seal.name == pinned.name and seal.sha256 == sha256(data).hexdigest() and _is_sealed(pinned, seal)
        )
        return Voucher(seal.version, seal.issued_at) if is_good else None
    if (
        listed.signed is None
        or listed.signature is None
        or listed.version is None
        or listed.issued_at is None
    ):
        return None
    is_good = _is_signed(pinned, listed.signature, listed.signed)
    return Voucher(listed.version, listed.issued_at) if is_good else None


def _is_sealed(pinned: TrustList, seal: Seal) -> bool:
    try:
        signature = base64.b64decode(seal.signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return _is_signed(pinned, signature, _sealed(seal.name, seal.version, seal.issued_at, seal.sha256))


def _is_signed(pinned: TrustList, signature: bytes, signed: bytes) -> bool:
    return any(holds(pinned.signer, algorithm, signature, signed) for algorithm in (ES256, PS256))


def _sealed(name: str, version: int, issued_at: datetime, digest: str) -> bytes:
    return "\n".join((_SEAL, name, str(version), issued_at.isoformat(), digest)).encode()
