"""Health cards as they are made, kept and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ehr.reads.models import Notice
from vaccination.certificates.models import DoseReason, Owned

# childhood: given before the eighteenth birthday; adult: from then on.
Book = Literal["childhood", "adult"]
# hidden: the person keeps the dose from readers; no-code: its vaccine has no code that others read.
CardReason = Literal[DoseReason, "hidden", "no-code"]
State = Literal["signing", "abandoned", "valid", "replaced", "revoked"]
EndReason = Literal["dose-changed", "dose-gone", "person-changed", "key-revoked"]


class CardPerson(Struct, frozen=True, kw_only=True):
    """Who stands on a card. birth_date: a FHIR date at its own precision."""

    name: str
    birth_date: str


class CardDose(Struct, frozen=True, kw_only=True):
    """What a card says of a dose. given: `YYYY-MM-DD`; place: a facility's name. lot, place: None where the
    card does not say. immunization_id (the entry of the book), owned (whose it is, which a merge does not
    change) and facility_id stand on no card."""

    immunization_id: str
    owned: Owned
    code_system: str
    code: str
    given: str
    lot: str | None
    facility_id: UUID | None
    place: str | None


class Code(Struct, frozen=True, kw_only=True):
    """One code of a card: what is signed, by the right to one signature, and the signature (base64url), empty
    until it is there."""

    issuance_id: UUID
    to_sign: str
    signature: str = ""


class Content(Struct, frozen=True, kw_only=True):
    """What a row keeps sealed."""

    person: CardPerson
    doses: tuple[CardDose, ...]
    codes: tuple[Code, ...]


class CardRow(Struct, frozen=True):
    """A card as stored."""

    patient_id: UUID
    card_id: UUID
    book: Book
    signer_id: str
    kid: str
    rid: str
    state: State
    content: bytes
    begun_at: datetime
    issued_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None


class WhyNotOnCard(Struct, frozen=True, kw_only=True):
    """One reason in words, with what can be done."""

    code: CardReason
    text_vi: str
    text_en: str
    next_vi: str
    next_en: str


class CardShown(Struct, frozen=True, kw_only=True):
    """One card. codes: how many QR codes it takes; doses: ids of the book's entries that stand on it; state:
    valid; replaced = there is a newer one, and this one is true still; revoked = it holds no longer (why:
    end_reason)."""

    card_id: UUID
    book: Book
    codes: int
    doses: list[str]
    state: Literal["valid", "replaced", "revoked"]
    state_vi: str
    issued_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None


class LeftOut(Struct, frozen=True, kw_only=True):
    """A dose that no card speaks of, and why."""

    immunization_id: str
    title: str
    given: str | None
    reasons: list[WhyNotOnCard]


class BookOfCards(Struct, frozen=True, kw_only=True):
    """doses: how many a new card would speak of; card: the newest one, None before the first and after it was
    revoked; is_current: whether it speaks of just these."""

    book: Book
    doses: int
    card: CardShown | None
    is_current: bool


class HealthCards(Struct, frozen=True, kw_only=True):
    """ended: cards that were replaced or revoked, newest first."""

    books: list[BookOfCards]
    left_out: list[LeftOut]
    ended: list[CardShown]
    notice: Notice | None


class CardText(Struct, frozen=True, kw_only=True):
    """What one QR code of a card holds, and the same as a compact JWS."""

    qr: str
    jws: str


class CardTexts(Struct, frozen=True, kw_only=True):
    """Every code of a card, in their order; to be shown one after the other."""

    card_id: UUID
    codes: list[CardText]


class CardFile(Struct, frozen=True, kw_only=True, rename="camel"):
    """A `.smart-health-card` file (the framework, "via file download")."""

    verifiable_credential: list[str]
