"""Insurance cards as they are shown. Dates are texts as the facility sent them."""

from typing import Literal

from msgspec import Struct

CardState = Literal["valid", "expired", "not-yet", "unknown"]
Unknown = Literal["validity", "benefit", "initial-facility", "five-years"]


class Benefit(Struct, frozen=True, kw_only=True):
    """The level that a card's third sign names, for care on the regular route. is_confirmed: whether the
    table was checked against the text of its source."""

    digit: str
    percent: int
    source: str
    is_confirmed: bool


class Charged(Struct, frozen=True, kw_only=True):
    """The levels that a visit was charged at, which depend on the route and on the sum."""

    percents: list[int]
    on: str | None


class InitialFacility(Struct, frozen=True, kw_only=True):
    """Where the card is registered for first care. name: None for a code of no facility here."""

    code: str
    name: str | None


class CardSource(Struct, frozen=True, kw_only=True):
    """Who reported the card, with a visit of which day."""

    facility_name: str | None
    as_of: str | None


class Card(Struct, frozen=True, kw_only=True):
    """One card. Its number is not kept beside the record: /v1/me/numbers has it.

    five_years: since when the person is insured for five years on end; exempt_from: since when without
    co-payment. overlaps: another card is valid on some of the same days. unknown: what nobody reported.
    """

    state: CardState
    state_vi: str
    valid_from: str | None
    valid_until: str | None
    benefit: Benefit | None
    charged: Charged | None
    initial_facility: InitialFacility | None
    area: str | None
    five_years: str | None
    exempt_from: str | None
    overlaps: bool
    unknown: list[Unknown]
    unknown_vi: list[str]
    sources: list[CardSource]


class Cards(Struct, frozen=True, kw_only=True):
    """All cards, valid ones first. notice_vi: what these are, and what they are not."""

    items: list[Card]
    notice_vi: str
