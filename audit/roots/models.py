"""Roots of the log of changed heads, as signed, as published and as proven."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from audit.models import Head

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256 in hexadecimal.")]
Base64Url = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$(?!\n)", max_length=100)]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
# A proof in a log of 2^40 leaves has 40 steps, a consistency proof one more.
Steps = Annotated[list[Hash], Meta(max_length=64)]


class OperatorsHead(Struct, frozen=True, kw_only=True):
    """The head of the operators' chain (security.md S26)."""

    h: Hash
    seq: Count


class Leaf(Struct, frozen=True, kw_only=True):
    """One head in the log. The leaf's data is this in JCS; the pseudonym is stable and names nobody."""

    epoch: Count
    h: Hash
    pseudonym: Hash
    seq: Count


class Root(Struct, frozen=True, kw_only=True):
    """What is signed, in JCS: a state of the log of one epoch.

    prev: SHA-256 of the signed text of the root before, zeros for the first. A restore of a backup starts a
    new epoch with an empty log of its own.
    """

    at: Annotated[str, Meta(max_length=40)]
    epoch: Count
    hash: Hash
    kid: Annotated[str, Meta(max_length=20)]
    log: UUID
    number: Count
    operators: OperatorsHead | None
    prev: Hash
    size: Count
    typ: Literal["audit-root"]
    v: Literal[1]


class Cosignature(Struct, frozen=True, kw_only=True):
    """An outside witness saw this root as a continuation of all that it saw before.

    signature: Ed25519 in base64url over JCS {at, root, typ: "audit-root-cosignature", v: 1, witness}, root
    being the SHA-256 of the root's signed text.
    """

    at: Annotated[str, Meta(max_length=40)]
    signature: Base64Url
    witness: Annotated[str, Meta(min_length=1, max_length=100)]


class SignedRoot(Struct, frozen=True, kw_only=True):
    """signature: Ed25519 in base64url, by key `kid` of the published keys, over the JCS text of `root`."""

    root: Root
    signature: Base64Url
    witnesses: Annotated[list[Cosignature], Meta(max_length=16)] = []


class KeyVoucher(Struct, frozen=True, kw_only=True):
    """An older key names a newer one, so that whoever knows the older one may believe it.

    signature: Ed25519 in base64url, by key `by`, over JCS {by, kid, typ: "audit-root-key", v: 1, x}.
    """

    by: Annotated[str, Meta(max_length=20)]
    signature: Base64Url


class RootKey(Struct, frozen=True, kw_only=True):
    """A public key: x is Ed25519 in base64url (RFC 8037). vouchers: empty for the first key."""

    kid: str
    x: Base64Url
    vouchers: Annotated[list[KeyVoucher], Meta(max_length=16)] = []


class AuditRoots(Struct, frozen=True, kw_only=True):
    """A page of roots, oldest first. next: ask again with `since`, None at the newest."""

    keys: Annotated[list[RootKey], Meta(max_length=1000)]
    roots: Annotated[list[SignedRoot], Meta(max_length=1000)]
    next: int | None = None


class LogProof(Struct, frozen=True, kw_only=True):
    """One row of a person's log under a root of the public log.

    h: the chain value of row `seq`. path: SHA-256 of each row after it up to the leaf's. index: its place.
    pinned: the root that was asked to be continued, and consistency what proves it; both empty where none was
    named, consistency also where that root is of another epoch.
    """

    seq: Count
    h: Hash
    path: Annotated[list[Hash], Meta(max_length=1000)]
    leaf: Leaf
    index: Count
    root: SignedRoot
    inclusion: Steps
    pinned: SignedRoot | None
    consistency: Steps


class Pin(Struct, frozen=True, kw_only=True):
    """What a person keeps of a check, to notice at the next one that something went back or was rewritten.

    keys: those that signed roots that were believed; a check adds to them and takes none away. An app that
    keeps seq and h alone notices what concerns its own log.
    """

    seq: Count
    h: Hash
    pseudonym: Hash | None = None
    root: Root | None = None
    keys: list[RootKey] = []

    @property
    def head(self) -> Head:
        return Head(seq=self.seq, h=bytes.fromhex(self.h))


class Changed(Struct, frozen=True):
    """A head that waits. is_known: it has its leaf, only the mark was lost."""

    patient_id: UUID
    seq: int
    h: bytes
    is_known: bool


class TreeRow(Struct, frozen=True):
    log: UUID
    size: int


class LeafRow(Struct, frozen=True):
    epoch: int
    seq: int
    leaf: int
    h: bytes


class RootRow(Struct, frozen=True):
    number: int
    epoch: int
    size: int
    text: str
    signature: bytes


class CosignatureRow(Struct, frozen=True):
    number: int
    witness: str
    at: str
    signature: bytes


class ChainStep(Struct, frozen=True):
    """row: SHA-256 of the row's text."""

    seq: int
    h: bytes
    row: bytes
