"""What is said between the import and its reader process: frames of msgpack, each after its length.

Only these shapes are ever decoded, so nothing that a hostile file makes of the reader runs in the import.
"""

from datetime import datetime
from typing import IO
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from ehr.intake.models import Reason, Unit
from ehr.intake.signature import TrustedCertificate
from ehr.models import NewResource

FRAME_BYTES_MAX = 512 * 1024 * 1024
_LENGTH = 8


class SenderFacts(Struct, frozen=True):
    """What reading needs to know of a sender. certificates: None for an operator's import without one."""

    source_id: str
    facility_name: str | None = None
    certificates: list[TrustedCertificate] | None = None


class Job(Struct, frozen=True, kw_only=True, tag=True):
    """Read one input, at a path or given whole. most: units that are read at most.

    sender: whose file it is where that is fixed, else whose a unit is that names no code. run: for which
    answers hold.
    """

    number: int
    name: str
    run: UUID
    now: datetime
    path: str | None = None
    data: bytes = b""
    sender: SenderFacts
    is_fixed: bool
    most: int | None = None


class Answer(Struct, frozen=True, tag=True):
    """Who has the code that was asked for; None with the reasons why it counts for nobody."""

    sender: SenderFacts | None
    reasons: list[Reason] = []


class Question(Struct, frozen=True, tag=True):
    """Who has this code, which a unit says it is from?"""

    code: str


class Made(Struct, frozen=True, kw_only=True, tag=True):
    """A unit with its rows. kept: its items as they would be set aside, which few units are."""

    unit: Unit
    not_kept: list[str]
    resources: list[NewResource]
    counts: dict[str, int]
    withheld: int
    review: list[list[NewResource]]
    kept: Raw


class Refused(Struct, frozen=True, tag=True):
    """A unit that cannot be taken in."""

    name: str
    reasons: list[Reason]


class Done(Struct, frozen=True, tag=True):
    """The input is at its end."""


Order = Job | Answer
Told = Question | Made | Refused | Done

encode = msgspec.msgpack.Encoder().encode
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_told: msgspec.msgpack.Decoder[Told] = msgspec.msgpack.Decoder(Told)
decode_order = _orders.decode
decode_told = _told.decode


def write_frame(stream: IO[bytes], frame: Order | Told) -> None:
    body = encode(frame)
    stream.write(len(body).to_bytes(_LENGTH) + body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; None at the end of the stream, also in the middle of one, or when it is too big."""
    head = stream.read(_LENGTH)
    size = int.from_bytes(head)
    if len(head) < _LENGTH or size > FRAME_BYTES_MAX:
        return None
    body = stream.read(size)
    return body if len(body) == size else None
