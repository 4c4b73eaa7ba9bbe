"""A message of a partner, its receipt, and what the person is told of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from kernel.access import PartnerGroup

# The partner's own name of a message, for ever: letters, digits and marks, as QĐ 1551's msg_id fits in.
MsgId = Annotated[str, Meta(min_length=8, max_length=80, pattern=r"^[A-Za-z0-9._-]{8,80}$(?!\n)")]


class Receipt(Struct, frozen=True, kw_only=True):
    """One for each message, however often it comes."""

    receipt_id: UUID
    msg_id: str
    received_at: datetime


class MessageRow(Struct, frozen=True):
    body_hash: bytes
    receipt_id: UUID
    received_at: datetime


class Disclosure(Struct, frozen=True, kw_only=True):
    """What left with one answer. groups: of the data set; encounter_id: of a paper about one encounter.
    payload_sha256: of the signed payload, in hexadecimal; entries: how many of the book it shows."""

    disclosure_id: UUID
    client_id: UUID
    consent_id: UUID
    client_name: str
    receipt_id: UUID
    msg_id: str
    groups: list[PartnerGroup]
    encounter_id: str | None
    entries: int
    payload_sha256: str
    disclosed_at: datetime


class RecordClaims(Struct, frozen=True, kw_only=True):
    """The signed payload of a record. iss: where the service stands; aud: the client; sub: the person as this
    client knows it, the same under each consent; consent: its reference. iat, exp: seconds; past exp the
    answer is stale, and its signature still proves what was handed over. record:
    openapi/partner-record.schema.json."""

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    jti: str
    consent: str
    msg_id: str
    receipt: Receipt
    groups: list[PartnerGroup]
    record: msgspec.Raw


class PaperClaims(Struct, frozen=True, kw_only=True):
    """The same about a PDF: its digest stands for it."""

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    jti: str
    consent: str
    msg_id: str
    receipt: Receipt
    encounter_id: str
    media_type: str
    sha256: str
