"""Rows of the rotation of look-up keys."""

from msgspec import Struct


class HashedNumber(Struct, frozen=True):
    """One of a person's numbers with the hash that finds it."""

    kind: str
    id_hash: bytes
    key_version: str
    value: bytes
