"""The envelope of an HC1 certificate: COSE_Sign1 (RFC 9052 §4.2), zlib (RFC 1950), base45, prefix."""

import zlib
from collections.abc import Mapping
from typing import Any, Final, Literal

import cbor2
from msgspec import Struct

from qr import base45
from vaccination.hc1 import cbor

PREFIX: Final = "HC1:"
ALG: Final = 1
KID: Final = 4
# IANA COSE algorithms.
ES256: Final = -7
PS256: Final = -37
KID_BYTES: Final = 8

SIGN1_TAG: Final = 18
CWT_TAG: Final = 61
# A QR code of version 40 holds 4,296 characters; what compresses better than 100 to 1 is no certificate.
TEXT_MAX: Final = 10_000
INFLATED_MAX: Final = 65_536

# Which layer could not be read.
Layer = Literal["prefix", "base45", "zlib", "cose"]


class UnreadableError(Exception):
    """No certificate in this text; `layer` is where reading ended."""

    def __init__(self, layer: Layer) -> None:
        super().__init__(layer)
        self.layer = layer


class Parsed(Struct, frozen=True, kw_only=True):
    """An envelope, opened and nothing of it believed. protected: the bytes that are signed over; headers:
    what they say; tags: the CBOR tags around it, outermost first; payload: the CWT, not yet decoded."""

    protected: bytes
    headers: dict[Any, Any]
    unprotected: dict[Any, Any]
    payload: bytes
    signature: bytes
    tags: tuple[int, ...]

    @property
    def alg(self) -> object:
        """The algorithm; the protected header wins over the other one."""
        return self.headers.get(ALG, self.unprotected.get(ALG))

    @property
    def kid(self) -> object:
        """The key id, wherever it stands; the protected header wins (50 of 411 pictures have it outside)."""
        return self.headers.get(KID, self.unprotected.get(KID))


def protected_header(alg: int, kid: bytes) -> bytes:
    return cbor2.dumps({ALG: alg, KID: kid})


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure: ["Signature1", protected, no external data, payload] (RFC 9052 §4.4)."""
    return b"\x84\x6aSignature1" + cbor.byte_string(protected) + b"\x40" + cbor.byte_string(payload)


def pack(protected: bytes, payload: bytes, signature: bytes) -> str:
    """The text of the QR code."""
    parts = (cbor.byte_string(protected), b"\xa0", cbor.byte_string(payload), cbor.byte_string(signature))
    return PREFIX + base45.encode(zlib.compress(b"\xd2\x84" + b"".join(parts), 9))


def unpack(text: str) -> Parsed:
    """The envelope behind a text, taken as it is: a space is a digit of base45. Raises UnreadableError."""
    if not text.startswith(PREFIX) or len(text) > TEXT_MAX:
        raise UnreadableError("prefix")
    try:
        packed = base45.decode(text[len(PREFIX) :])
    except ValueError as error:
        raise UnreadableError("base45") from error
    return open_cose(inflate(packed))


def inflate(packed: bytes) -> bytes:
    """What zlib packed, whole and within bounds. Raises UnreadableError."""
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, INFLATED_MAX)
    except zlib.error as error:
        raise UnreadableError("zlib") from error
    if not stream.eof or stream.unused_data:
        raise UnreadableError("zlib")
    return data


def open_cose(data: bytes) -> Parsed:
    """A COSE_Sign1 with tag 18, with tags 61 and 18, or with none. Raises UnreadableError."""
    try:
        item, tags = _untagged(cbor.decode(data))
        match item:
            case [bytes() as protected, Mapping() as unprotected, bytes() as payload, bytes() as signature]:
                headers = cbor.decode(protected) if protected else {}
            case _:
                raise UnreadableError("cose")
    except cbor.CborError as error:
        raise UnreadableError("cose") from error
    if not isinstance(headers, dict) or tags not in ((), (SIGN1_TAG,), (CWT_TAG, SIGN1_TAG)):
        raise UnreadableError("cose")
    return Parsed(
        protected=protected,
        headers=headers,
        unprotected=dict(unprotected),
        payload=payload,
        signature=signature,
        tags=tags,
    )


def _untagged(item: Any) -> tuple[Any, tuple[int, ...]]:
    tags: list[int] = []
    while isinstance(item, cbor2.CBORTag) and len(tags) < 3:
        tags.append(item.tag)
        item = item.value
    return item, tuple(tags)
