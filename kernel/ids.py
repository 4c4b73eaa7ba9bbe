"""Identifiers: UUIDv7 made here (RFC 9562 §5.7), so any PostgreSQL from 15 serves."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

BUCKETS = 256


def uuid7(now: datetime) -> UUID:
    """A time-ordered id: 48 bits of milliseconds, 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def bucket_of(patient_id: UUID) -> int:
    """The queue bucket (0–255) of a person; stable over versions and machines."""
    return hashlib.sha256(patient_id.bytes).digest()[0]


def uuid8(digest: bytes) -> UUID:
    """A stand-in for an id that nobody has, the same for the same digest (RFC 9562 §5.8); equal to no
    id of `uuid7`."""
    value = int.from_bytes(digest[:16], "big") & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
