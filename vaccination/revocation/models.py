"""What a revocation names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

# Each finds a certificate by itself (vaccination.md §7): its identifier, its issuer and identifier, its
# signature; `rid`: a health card's own, as ASCII (SMART Health Cards 1.4.0, "Revocation").
Kind = Literal["uci", "country-uci", "signature", "rid"]
Hashes = Mapping[Kind, bytes]


class ListHead(Struct, frozen=True):
    """The list of one key. changes: rises with each change of the list."""

    kid: str
    changes: int
    changed_at: datetime


class Entry(Struct, frozen=True):
    """hash: 16 bytes, a rid as ASCII up to 24. expires_at: None: what it names never ends by itself."""

    kind: Kind
    hash: bytes
    expires_at: datetime | None


class RevocationList(Struct, frozen=True, kw_only=True):
    """The list of one key, or a page of it: what an offline verifier keeps. hashes: in hexadecimal, by what
    they are made of; a `rid` in plain. behind: the `after` that the page was asked with, None on the first;
    after: where the next page begins, None on the last. Pages are one list when `changes` is the same.
    issued_at: this day (UTC): the list has an age."""

    kid: str
    changes: int
    hashes: dict[Kind, list[str]]
    behind: str | None = None
    after: str | None = None
    issued_at: datetime | None = None
