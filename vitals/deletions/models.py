"""What is to go, and what went."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Wish(Struct, frozen=True, kw_only=True):
    """Records by their ids; else those of a kind, a source or both that begin in [since, until). source: as
    it is shown (vitals/sight.py)."""

    ids: list[UUID]
    kinds: list[int] | None
    source: int | None
    since: datetime
    until: datetime


class Wanted(Struct, frozen=True):
    """A record that is to go, and how many points it has."""

    id: UUID
    n: int


class DeletedVitals(Struct, frozen=True, kw_only=True):
    """deleted: records that went now; more: there are further ones, ask again."""

    deleted: int
    more: bool
