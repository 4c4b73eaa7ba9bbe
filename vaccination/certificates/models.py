"""Certificates, what they rest on, and how people see them."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ehr.reads.models import Notice

# Why a dose is no ground for a certificate of any kind.
DoseReason = Literal[
    "self-declared",
    "being-corrected",
    "duplicate",
    "source-stale",
    "date-unclear",
    "date-ahead",
    "facility-unknown",
    "no-authority",
    "passed-on",
    "back-dated",
]
# And why one of the international COVID-19 certificate is not made of it.
Reason = Literal[
    "self-declared",
    "being-corrected",
    "duplicate",
    "source-stale",
    "date-unclear",
    "date-ahead",
    "facility-unknown",
    "no-authority",
    "passed-on",
    "back-dated",
    "not-covid-19",
    "product-unknown",
    "dose-number-unknown",
    "name-unknown",
    "birth-date-unknown",
]

State = Literal["signing", "abandoned", "valid", "renewed", "replaced", "revoked"]
ShownState = Literal["valid", "renewed", "replaced", "revoked", "expired"]
EndReason = Literal["dose-changed", "dose-gone", "not-certain", "withdrawn", "key-revoked"]
SetBy = Literal["person", "operator"]


class Evidence(Struct, frozen=True, kw_only=True):
    """What speaks for a dose beside itself. authorised: its facility might vaccinate on its day; said_at:
    when its sender first said what the dose says now; confirmed: a second account said that it is true;
    stale: it came from a system that was not reached lately."""

    authorised: bool
    said_at: datetime
    confirmed: bool
    stale: bool


class Owned(Struct, frozen=True, kw_only=True):
    """Whose a dose is, whichever book it lies in since a merge of persons, and its id there."""

    patient_id: UUID
    dose_id: str


class Period(Struct, frozen=True):
    """facility_id may vaccinate from its first day to its last, both included."""

    facility_id: UUID
    from_on: date
    until_on: date | None


class Facts(Struct, frozen=True, kw_only=True):
    """All that a certificate says but its number and its times. birth_date, given: as on the certificate."""

    fn: str
    fnt: str
    gn: str
    gnt: str
    birth_date: str
    vp: str
    mp: str
    ma: str
    dn: int
    sd: int
    given: str


class CertificateRow(Struct, frozen=True):
    """A certificate as stored."""

    patient_id: UUID
    certificate_id: UUID
    dose_id: str
    issuance_id: UUID
    signer_id: str
    kid: str
    algorithm: int
    state: State
    content: bytes
    facts_sha256: bytes
    begun_at: datetime
    issued_at: datetime | None
    expires_at: datetime
    replaces: UUID | None
    replaced_by: UUID | None
    ended_at: datetime | None
    end_reason: EndReason | None


class WhyNot(Struct, frozen=True, kw_only=True):
    """One reason in words, with what can be done."""

    code: Reason
    text_vi: str
    text_en: str
    next_vi: str
    next_en: str


class CertificateShown(Struct, frozen=True, kw_only=True):
    """One certificate. state: valid; renewed = another one took over, this one holds to its end; replaced,
    revoked = it holds no longer (why: end_reason); expired. replaces, replaced_by: certificates of the same
    dose."""

    certificate_id: UUID
    immunization_id: str
    state: ShownState
    state_vi: str
    issued_at: datetime
    expires_at: datetime
    algorithm: Literal["ES256", "PS256"]
    replaces: UUID | None
    replaced_by: UUID | None
    ended_at: datetime | None
    end_reason: EndReason | None


class DoseStanding(Struct, frozen=True, kw_only=True):
    """A dose of the book and what can be had for it. reasons: why no certificate; empty where one can be
    issued. certificate: the one that holds."""

    immunization_id: str
    title: str
    given: str | None
    facility_name: str | None
    eligible: bool
    reasons: list[WhyNot]
    certificate: CertificateShown | None


class CertificateList(Struct, frozen=True, kw_only=True):
    """doses: COVID-19 doses of the book, newest first. ended: what holds no longer or was renewed; for the
    person alone, as it can tell of a dose that is hidden from who acts for the person. missing_*: what to do
    about a dose that is not here."""

    doses: list[DoseStanding]
    ended: list[CertificateShown]
    latin_family_name: str | None
    latin_given_name: str | None
    missing_vi: str
    missing_en: str
    notice: Notice | None


class CertificateText(Struct, frozen=True, kw_only=True):
    """text: what the QR code holds."""

    certificate_id: UUID
    text: str


class ToConfirm(Struct, frozen=True, kw_only=True):
    """A dose that this facility sent long after its day and whose person asked for a certificate. person:
    initials and year of birth."""

    confirmation_id: UUID
    person: str
    vaccine: str
    given: str | None
    lot: str | None
    dose_number: int | None
    said_at: datetime
    asked_at: datetime


class ConfirmationList(Struct, frozen=True, kw_only=True):
    items: list[ToConfirm]
