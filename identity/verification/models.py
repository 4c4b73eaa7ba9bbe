"""What a check of somebody's identity says, and the transaction that it belongs to."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from identity.models import Sex

# otp_phone: a code to a phone proves the phone. manual_staff: two staff accounts saw the card and the person.
# oidc: an OpenID Connect issuer. third_party: whoever comes later. The text of a card proves nothing: no way.
Method: TypeAlias = Literal["otp_phone", "manual_staff", "oidc", "third_party"]
# What a result may be used for, once. enrolment: a device opens the book, also as a way back to it. connect:
# a partner or an app is let in. sign-in: a browser reads the own book. link-children: the children whom the
# provider names get a guardian.
Purpose: TypeAlias = Literal["sign-up", "enrolment", "connect", "sign-in", "link-children"]
# 0: nothing is proven. 1, 2: the levels of an e-ID account; only 2 opens a person's book.
Level: TypeAlias = Literal[0, 1, 2]


class Verified(Struct, frozen=True, kw_only=True):
    """What a verifier says. level 0 proves nothing, whatever the rest says.

    number: the personal number, 12 digits. birth_date: FHIR partial date. dependents: personal numbers of
    children whose guardian the provider says this person is.
    """

    level: Level
    number: str | None = None
    name: str | None = None
    birth_date: str | None = None
    sex: Sex | None = None
    dependents: tuple[str, ...] = ()


class Started(Struct, frozen=True, kw_only=True):
    """address: where the person goes on. kept: what `finish` needs again (nonce, PKCE verifier), sealed."""

    address: str
    kept: str


class Opened(Struct, frozen=True, kw_only=True):
    """A transaction that was made ready at the provider and is not yet written down."""

    transaction_id: UUID
    state: str
    method: Method
    provider: str
    started: Started


class Begun(Struct, frozen=True, kw_only=True):
    """address: opened in the person's browser. transaction_id: kept by whoever asked, with its secret."""

    transaction_id: UUID
    address: str
    expires_at: datetime


class VerificationRow(Struct, frozen=True):
    """A result as it stands for ever. It names nobody; what rests on it names it, such as a consent."""

    verification_id: UUID
    method: str
    provider: str
    level: int
    purpose: str
    consent_id: UUID | None
    transaction_id: UUID
    at: datetime


class Proven(Struct, frozen=True, kw_only=True):
    """A result that this call used up, with what the provider said of the person."""

    row: VerificationRow
    person: Verified

    @property
    def verification_id(self) -> UUID:
        """What an artefact or an audit row names."""
        return self.row.verification_id


class TransactionRow(Struct, frozen=True):
    """A transaction while it lives."""

    transaction_id: UUID
    method: Method
    provider: str
    purpose: Purpose
    consent_id: UUID | None
    return_to: str
    sealed: bytes
    expires_at: datetime


class ClaimedRow(Struct, frozen=True):
    """What a receipt leads to. verification_id None: the provider said no."""

    purpose: str
    secret_hash: bytes
    verification_id: UUID | None
    sealed: bytes
