"""A key that counts, and what a list of them says."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Purpose = Literal["hc1", "shc"]
# terminated: a later list left it out; revoked: an operator said so. Neither counts any more, and the verdict
# says which it was.
KeyState = Literal["active", "terminated", "revoked"]
# What a document signer may sign, by the schema's names of the parts: vaccination, test, recovery.
Use = Literal["v", "t", "r"]
# eu: of the European gateway and its mirrors; did: of the WHO's trust network; jwks: of one health card
# issuer; plain (kid to certificate) and pem: by hand, offline only.
Form = Literal["eu", "did", "jwks", "plain", "pem"]


class TrustedKey(Struct, frozen=True, kw_only=True):
    """One public key. kid: base64 with padding of 8 bytes, or a thumbprint (RFC 7638). spki: DER.

    country: two letters, of the certificate or the list. issuer: a health card issuer's address. uses: None =
    every. fresh_until: after it the list is too old to say that somebody is trusted; None = no list.
    """

    kid: str
    purpose: Purpose
    spki: bytes
    country: str | None = None
    issuer: str | None = None
    uses: frozenset[Use] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    state: KeyState = "active"
    source: str = "file"
    fresh_until: datetime | None = None


class ListedKeys(Struct, frozen=True, kw_only=True):
    """A list as read. version: rises from list to list; None where the form has none. issued_at: when its
    publisher made it. signed: the bytes that `signature` is over, where the form carries one. crl_versions:
    by kid, of a health card issuer's revocation lists."""

    form: Form
    keys: tuple[TrustedKey, ...]
    version: int | None = None
    issued_at: datetime | None = None
    signed: bytes | None = None
    signature: bytes | None = None
    crl_versions: dict[str, int] = {}


class CardRevocations(Struct, frozen=True):
    """A health card issuer's list (SMART Health Cards 1.4.0). rids: each with the second before which cards
    issued under it are revoked, None = all."""

    kid: str
    changes: int
    rids: dict[str, int | None]


class TrustList(Struct, frozen=True):
    """A list that two operators pinned. signer: whose signature it needs (SPKI, DER). issuer: of a key set.
    version 0: nothing was loaded yet."""

    name: str
    form: Form
    issuer: str | None
    signer: bytes
    max_age_days: int
    version: int
    sha256: bytes | None
    issued_at: datetime | None
    loaded_at: datetime | None
    fresh_until: datetime | None


class Seal(Struct, frozen=True, kw_only=True):
    """What the pinned signer says of a list whose form has no signature and version of its own. sha256: of
    the file, in hexadecimal; signature: over the other members (seal.py), base64."""

    name: str
    version: int
    issued_at: datetime
    sha256: str
    signature: str


class Change(Struct, frozen=True, kw_only=True):
    """What a new list does to the last good one. needs_second: over a tenth changes, or keys of our country
    do."""

    version: int
    issued_at: datetime
    added: tuple[TrustedKey, ...]
    removed: tuple[TrustedKey, ...]
    needs_second: bool
