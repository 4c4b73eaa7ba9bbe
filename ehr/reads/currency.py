"""How far other cores stand behind an answer: what the reader is told, and where emptiness tells nothing."""

from datetime import datetime
from typing import Final, Literal

from msgspec import Struct


class CoreShown(Struct, frozen=True, kw_only=True):
    """A core that this record is also read from. as_of: when it was last asked for all of its parts.

    state: current; stale = not reached lately; partial = not all of it is here; unclear = the core knows
    several such people or another one, so it is not read.
    """

    name: str
    state: Literal["current", "stale", "partial", "unclear"]
    as_of: datetime | None
    notice_vi: str | None
    notice_en: str | None


class Currency(Struct, frozen=True):
    """doubtful: keys of sections that may not say "none" now (ehr-core.md §2.3)."""

    shown: list[CoreShown]
    doubtful: frozenset[str]

    @property
    def mark(self) -> str:
        """What an ETag must change with: the states, not the times."""
        return "".join(one.state[0] for one in self.shown)


OWN_TABLES_ALONE: Final = Currency([], frozenset())
