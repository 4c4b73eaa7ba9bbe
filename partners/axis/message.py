"""A message of the axis as QĐ 1551 publishes its form: header, data in base64, a detached RSA signature.

What the text that we have leaves open is decided here and nowhere else, each in a function of its own that
says `unconfirmed`: what exactly is signed, how `data_type` is spelled, which members a reply has. Whoever
connects a real axis compares these with its guide first.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import uuid4

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Raw, Struct

from kernel.clock import VIETNAM

SENT: Final = 101
REPLIED: Final = 102
BODY_BYTES_MAX: Final = 1024 * 1024
RSA_BITS_MIN: Final = 2048
# The replies that the published form names.
Code = Literal["CM_SUCCESS", "CM_INVALID_REQUEST", "PS_SIGNATURE_INVALID"]
SUCCESS: Final[Code] = "CM_SUCCESS"
INVALID: Final[Code] = "CM_INVALID_REQUEST"
BAD_SIGNATURE: Final[Code] = "PS_SIGNATURE_INVALID"

_FACILITY: Final = re.compile(r"[0-9]{13}")
# sender_id, YYMMDD, a UUIDv4 without dashes.
_MSG_ID: Final = re.compile(r"([0-9]{13})([0-9]{6})[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}")


class AxisHeader(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The header of a message or of a reply. send_datetime: milliseconds since 1970."""

    version: str
    sender_id: str
    receiver_id: str
    txn_type: str
    msg_id: str
    msg_type: int
    data_type: str
    send_datetime: int
    ref_msg_id: str | None = None


class Wire(Struct, frozen=True):
    """A body as it came: the header's own bytes are what was signed."""

    header: Raw
    data: str
    signature: str


class Received(Struct, frozen=True):
    """A message whose form is right and whose signature nobody has checked yet."""

    header: AxisHeader
    data: bytes
    signed: bytes
    signature: bytes


class AxisReply(Struct, frozen=True, kw_only=True):
    """The answer to a message. Its members are unconfirmed."""

    header: AxisHeader
    code: Code


class BadMessageError(Exception):
    """Not a message of this form. The text is a code and holds nothing of what came."""


def facility_id_of(text: str) -> str | None:
    """The text where it is a 13-digit facility code."""
    return text if _FACILITY.fullmatch(text) else None


def new_msg_id(sender_id: str, now: datetime) -> str:
    """`sender_id` + YYMMDD + UUIDv4 without dashes; the day is Vietnam's."""
    assert _FACILITY.fullmatch(sender_id), "a 13-digit code"
    return f"{sender_id}{now.astimezone(VIETNAM):%y%m%d}{uuid4().hex}"


def is_msg_id(text: str, sender_id: str) -> bool:
    found = _MSG_ID.fullmatch(text)
    return found is not None and found[1] == sender_id


def milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)


def sent_at(header: AxisHeader) -> datetime:
    """When a message says that it left. Raises BadMessageError."""
    try:
        return datetime.fromtimestamp(header.send_datetime / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadMessageError("send_datetime") from None


def data_type_of(kind: str) -> str:
    """How data of a kind (json, xml, pdf) are named that travel in base64. Unconfirmed."""
    return f"{kind}/base64"


def is_json(data_type: str) -> bool:
    return data_type.lower() in ("json", "json/base64")


def signed_bytes(header: bytes, data: str) -> bytes:
    """What the signature covers: the header's bytes as they stand in the body, then the base64 text. The form
    says "header + data" and no more: unconfirmed."""
    return header + data.encode()


def make(header: AxisHeader, data: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """The body of a message, signed with SHA256-RSA (PKCS #1 v1.5)."""
    told, text = msgspec.json.encode(header), base64.b64encode(data).decode()
    signature = key.sign(signed_bytes(told, text), padding.PKCS1v15(), hashes.SHA256())
    return msgspec.json.encode(Wire(Raw(told), text, base64.b64encode(signature).decode()))


def read(body: bytes) -> Received:
    """A body that came. Raises BadMessageError."""
    if len(body) > BODY_BYTES_MAX:
        raise BadMessageError("too-large")
    try:
        wire = msgspec.json.decode(body, type=Wire)
        header = msgspec.json.decode(wire.header, type=AxisHeader, strict=False)
        data = base64.b64decode(wire.data, validate=True)
        signature = base64.b64decode(wire.signature, validate=True)
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
        raise BadMessageError("form") from None
    return Received(header, data, signed_bytes(bytes(wire.header), wire.data), signature)


def is_signed_by(received: Received, keys: Sequence[rsa.RSAPublicKey]) -> bool:
    """Whether one of the keys made its signature. No key of the message itself ever counts."""
    return any(_verifies(received, key) for key in keys)


def _verifies(received: Received, key: rsa.RSAPublicKey) -> bool:
    try:
        key.verify(received.signature, received.signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def read_reply(body: bytes, msg_id: str) -> AxisReply:
    """The answer to one message. Raises BadMessageError for what is none, and for that of another."""
    try:
        reply = msgspec.json.decode(body, type=AxisReply, strict=False)
    except (msgspec.MsgspecError, RecursionError):
        raise BadMessageError("form") from None
    if reply.header.msg_type != REPLIED or reply.header.ref_msg_id != msg_id:
        raise BadMessageError("other-message")
    return reply


def reply_to(header: AxisHeader, code: Code, msg_id: str, now: datetime) -> AxisReply:
    """Our answer to a message; its sender and receiver change places."""
    return AxisReply(
        header=AxisHeader(
            version=header.version,
            sender_id=header.receiver_id,
            receiver_id=header.sender_id,
            txn_type=header.txn_type,
            msg_id=msg_id,
            msg_type=REPLIED,
            data_type=header.data_type,
            send_datetime=milliseconds(now),
            ref_msg_id=header.msg_id,
        ),
        code=code,
    )


def read_keys(pem: bytes) -> list[rsa.RSAPublicKey]:
    """Public keys or certificates, one after the other. Raises ValueError: none, not RSA, under 2048 bits."""
    found = []
    for match in re.finditer(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", pem, re.DOTALL):
        text = match[0]
        is_certificate = match[1] == b"CERTIFICATE"
        key = (
            x509.load_pem_x509_certificate(text).public_key() if is_certificate else load_pem_public_key(text)
        )
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < RSA_BITS_MIN:
            raise ValueError("an RSA key of 2048 bits or more")
        found.append(key)
    if not found:
        raise ValueError("no public key")
    return found
