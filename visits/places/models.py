"""Administrative units as the tables and the file hold them."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

Level = Literal["province", "district", "commune"]
PlaceCode = Annotated[str, Meta(pattern=r"^[0-9A-Z-]{1,12}$(?!\n)")]


class Place(Struct, frozen=True):
    """A unit between its days. parent_code: of the level above that held then. source: what the file says of
    itself; a sample says that it is one."""

    level: Level
    code: str
    valid_from: date
    valid_until: date | None
    name: str
    parent_code: str | None
    source: str


class NewPlace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the file, read. became: codes of the units of today that a former one went into;
    source: where the line is from, in words."""

    level: Level
    code: PlaceCode
    valid_from: date
    valid_until: date | None
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    parent_code: PlaceCode | None
    became: list[PlaceCode]
    source: Annotated[str, Meta(min_length=3, max_length=200)]
