"""Signers of documents, issuances, and what the signer is asked and answers."""

import base64
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from vaccination.signer.authority import country_of
from vaccination.signer.ports import Shape, SignerPurpose, SignerReason

Algorithm = Literal["ES256", "PS256"]


class DocumentSigner(Struct, frozen=True):
    """A key that documents are signed with. certificate, authority: DER, its own and the authority's. kid: 8
    bytes for HC1, the RFC 7638 thumbprint in ASCII for SHC. sign_until: the end of its use, long before
    not_after, the end of what it signed. daily_budget: signatures a day (UTC). revoked_at: since then nothing
    that it signed counts."""

    key_id: str
    purpose: SignerPurpose
    alg: Algorithm
    kid: bytes
    certificate: bytes
    authority: bytes
    not_before: datetime
    not_after: datetime
    sign_until: datetime
    daily_budget: int
    added_at: datetime
    retired_at: datetime | None
    revoked_at: datetime | None = None

    @property
    def kid_text(self) -> str:
        """As lists of keys name it: base64 with padding for HC1, the thumbprint for SHC."""
        return base64.b64encode(self.kid).decode() if self.purpose == "hc1" else self.kid.decode()

    @property
    def country(self) -> str:
        """Whose documents it signs: of its certificate."""
        return country_of(self.certificate)

    def signs_at(self, now: datetime) -> bool:
        return self.retired_at is None and self.not_before <= now < self.sign_until


class Asked(Struct, frozen=True, array_like=True):
    """One request for a signature, as it goes over the socket."""

    issuance: UUID
    patient_id: UUID
    key: str
    shape: Shape
    to_sign: bytes


class Answered(Struct, frozen=True, array_like=True):
    """Exactly one of both."""

    signature: bytes | None
    reason: SignerReason | None


class IssuanceRow(Struct, frozen=True):
    purpose: SignerPurpose
    key_id: str
    to_sign_sha256: bytes
    signed_at: datetime | None
    closed_at: datetime | None


class SigningEntry(Struct, frozen=True, kw_only=True):
    """What the signer's log says of one signature; it names nobody. sha256: of the bytes, in hexadecimal."""

    at: str
    issuance: UUID
    key: str
    sha256: str


class SigningRow(Struct, frozen=True):
    """One row of the signer's log."""

    seq: int
    at: datetime
    issuance_id: UUID
    entry: str
    prev: bytes
    h: bytes


class Signed(Struct, frozen=True):
    """One signed issuance."""

    issuance_id: UUID
    key_id: str
    to_sign_sha256: bytes
    signed_at: datetime
