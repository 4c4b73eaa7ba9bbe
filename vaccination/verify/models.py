"""The verdict."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

# vaccination.md §8; most are the names of the WHO's verifier. VERIFIED: every hard step passed.
Status = Literal[
    "VERIFIED",
    "NOT_SUPPORTED",
    "INVALID_ENCODING",
    "INVALID_COMPRESSION",
    "INVALID_SIGNING_FORMAT",
    "KID_NOT_INCLUDED",
    "ISSUER_NOT_TRUSTED",
    "INVALID_SIGNATURE",
    "NOT_YET_VALID",
    "EXPIRED",
    "REVOKED",
    "TERMINATED_KEYS",
    "EXPIRED_KEYS",
    "REVOKED_KEYS",
    "TRUST_DATA_STALE",
    "INVALID_SCHEMA",
]
StepName = Literal[
    "prefix",
    "encoding",
    "compression",
    "envelope",
    "claims",
    "key",
    "signature",
    "key-usage",
    "key-state",
    "validity",
    "revocation",
    "schema",
    "trust-age",
]
Outcome = Literal["passed", "warned", "failed", "not-reached"]
Format = Literal["hc1", "shc"]
StatementKind = Literal["vaccination", "test", "recovery"]


class Step(Struct, frozen=True, kw_only=True):
    """status: why it failed; notes: what else was seen, as words of a closed list and names of fields."""

    name: StepName
    outcome: Outcome
    status: Status | None = None
    notes: tuple[str, ...] = ()


class Holder(Struct, frozen=True, kw_only=True):
    """What the code says of its person, to be compared with an identity document."""

    family_name: str | None = None
    given_name: str | None = None
    family_name_latin: str | None = None
    given_name_latin: str | None = None
    birth_date: str | None = None


class Statement(Struct, frozen=True, kw_only=True):
    """One vaccination, test or recovery, in the codes it is written in."""

    kind: StatementKind
    disease: str | None = None
    vaccine: str | None = None
    product: str | None = None
    manufacturer: str | None = None
    dose_number: int | None = None
    series_doses: int | None = None
    occurred: str | None = None
    valid_until: str | None = None
    result: str | None = None
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """status: the first hard step that failed, VERIFIED when none did. steps: all, in their order. What the
    code says (holder, statements, issuer) is its issuer's word only when the signature step passed.

    trust: the list that the key stands on. A person still has to be compared with the holder.
    """

    status: Status
    format: Format | None
    steps: tuple[Step, ...]
    algorithm: str | None = None
    kid: str | None = None
    issuer: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    holder: Holder | None = None
    statements: tuple[Statement, ...] = ()
    trust: str | None = None
