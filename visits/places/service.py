"""Finding administrative units, and keeping those of a file."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from msgspec import Struct

from store.database import Tx
from visits.places import queries
from visits.places.models import Level, NewPlace, Place

PAGE: Final = 100


class Standing(Struct, frozen=True, kw_only=True):
    """A unit, and what stands on the other side of a reform."""

    unit: Place
    became: list[str]
    came_from: list[str]


async def is_known(tx: Tx, commune_code: str, on: date | None) -> bool:
    """Whether a commune had this code on that day; on None: on any."""
    return bool(await queries.IS_KNOWN.one(tx, commune_code, on))


async def in_force(
    tx: Tx, level: Level, parent_code: str | None, on: date, after: tuple[str, str] | None, limit: int
) -> list[Place]:
    """The units of a level under one of the level above, by name. after: name and code of the last one."""
    name, code = after if after is not None else (None, None)
    return await queries.IN_FORCE.all(tx, level, parent_code, on, name, code, limit)


async def meanings(tx: Tx, level: Level, code: str) -> list[Standing]:
    """Every unit that had this code, the latest first, with what it became and what it came from."""
    return [
        Standing(
            unit=one,
            became=await queries.BECAME.all(tx, level, code, one.valid_from),
            came_from=await queries.CAME_FROM.all(tx, level, code) if one.valid_until is None else [],
        )
        for one in await queries.MEANINGS.all(tx, level, code)
    ]


async def keep(tx: Tx, new: Iterable[NewPlace]) -> None:
    """Write units of a file; one that is there already (level, code, first day) says what the file says."""
    for one in new:
        await queries.KEEP.run(
            tx, one.level, one.code, one.valid_from, one.valid_until, one.name, one.parent_code, one.source
        )
        await queries.FORGET_SUCCESSORS.run(tx, one.level, one.code, one.valid_from)
        await queries.KEEP_SUCCESSOR.many(
            tx, [(one.level, one.code, one.valid_from, became) for became in one.became]
        )
