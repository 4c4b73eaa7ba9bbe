"""What a kept document leaves out: who somebody is rests sealed in identity, not beside the diagnoses.

Without this, whoever reads the table has every number, name and phone in clear next to the record,
and the sealed fields and the keyed look-up keep nothing (security.md S15, S17).
"""

from typing import Final

import msgspec
from msgspec import Raw

from ehr.intake.models import Item

# All that is kept of a document about a person.
_KEPT: Final[dict[str, frozenset[str]]] = {
    "Patient": frozenset(
        {"resourceType", "id", "meta", "active", "gender", "deceasedBoolean", "deceasedDateTime"}
    ),
    "RelatedPerson": frozenset({"resourceType", "id", "meta", "active", "patient", "relationship", "period"}),
}
# What goes of a document that has more to say: the number of the card.
_LEFT_OUT: Final[dict[str, frozenset[str]]] = {"Coverage": frozenset({"identifier", "subscriberId"})}

_members = msgspec.json.Decoder(dict[str, Raw])


def nameless(item: Item) -> bytes:
    """The item's document as it is kept; every member that stays keeps its bytes."""
    kept, left_out = _KEPT.get(item.rtype), _LEFT_OUT.get(item.rtype)
    if kept is None and left_out is None:
        return item.raw.encode()
    members = _members.decode(item.raw)
    return msgspec.json.encode(
        {
            name: value
            for name, value in members.items()
            if (kept is None or name in kept) and (left_out is None or name not in left_out)
        }
    )
