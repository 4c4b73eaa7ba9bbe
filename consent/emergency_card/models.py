"""What the emergency card is made of."""

from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from msgspec import Struct

from kernel.access import RecordType

# identity: name and year of birth. Each is a tick of its own, and none is set before the person sets it.
Part = Literal["identity", "allergies", "blood-group", "conditions", "medicines", "implants", "contacts"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

# What of the record each tick lets the filter out. Name and contacts are no part of the record.
PART_TYPES: Final[dict[Part, frozenset[RecordType]]] = {
    "allergies": frozenset({"AllergyIntolerance"}),
    "blood-group": frozenset({"Observation.laboratory", "Observation.other"}),
    "conditions": frozenset({"Condition"}),
    "medicines": frozenset({"MedicationRequest", "MedicationStatement"}),
    "implants": frozenset({"Device"}),
}

Relation = Literal["spouse", "parent", "child", "sibling", "relative", "friend", "neighbour", "carer"]
ContactState = Literal["invited", "accepted", "declined", "ended"]


class LiveCard(Struct, frozen=True):
    """A card in force, of a living person who is not held."""

    patient_id: UUID
    card_id: UUID
    version: int
    parts: list[Part]
    secret_hash: bytes
    secret_sealed: bytes
    origins: list[UUID]
    agreed_at: datetime
    issued_at: datetime

    @property
    def types(self) -> frozenset[RecordType]:
        """The types of the record that the ticks let out."""
        return frozenset(type_ for part in self.parts for type_ in PART_TYPES.get(part, ()))


class ContactRow(Struct, frozen=True):
    patient_id: UUID
    contact_id: UUID
    name_sealed: bytes
    phone_sealed: bytes
    relation: Relation
    state: ContactState
    code_hash: bytes
    named_at: datetime
    expires_at: datetime
    answered_at: datetime | None


class ContactPhone(Struct, frozen=True):
    """A contact who agreed, and where to reach them. phone: E.164; it never stands in a log."""

    contact_id: UUID
    phone: str

    def __repr__(self) -> str:
        return f"ContactPhone({self.contact_id})"


class CardLine(Struct, frozen=True, kw_only=True):
    """One thing on a ticked line."""

    text: str
    detail: str = ""


class CardPart(Struct, frozen=True, kw_only=True):
    """One ticked line. empty_vi: what stands there where no line does."""

    part: Part
    title_vi: str
    title_en: str
    lines: list[CardLine]
    empty_vi: str = ""


class CardContent(Struct, frozen=True, kw_only=True):
    """What a card shows. The notice is the same on every card, whatever is left out."""

    parts: list[CardPart]
    notice_vi: str
    notice_en: str
    read_at: datetime
