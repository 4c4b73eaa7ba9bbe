"""Health cards as they are made, kept and shown."""

from typing import Literal

from msgspec import Struct

# childhood: given before the eighteenth birthday; adult: from then on.
Book = Literal["childhood", "adult"]


class CardPerson(Struct, frozen=True, kw_only=True):
    """Who stands on a card. birth_date: a FHIR date at its own precision."""

    name: str
    birth_date: str


class CardDose(Struct, frozen=True, kw_only=True):
    """What a card can say of a dose. immunization_id: the entry of the record, which no card shows; given:
    FHIR date at its own precision; place: the facility's name."""

    immunization_id: str
    code_system: str
    code: str
    given: str
    lot: str | None
    place: str | None
