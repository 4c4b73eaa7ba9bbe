"""A merge and what it leaves on both persons."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from identity.models import PersonState

MergeState = Literal["moving", "moved", "returning", "undone"]


class Merge(Struct, frozen=True):
    """merged_state: what the merged person goes back to. lineage: that person and all merged into it."""

    merge_id: UUID
    merged_id: UUID
    survivor_id: UUID
    state: MergeState
    merged_state: PersonState
    lineage: list[UUID]
    rows_moved: int
    decided_at: datetime
    moved_at: datetime | None
    undone_at: datetime | None


class OriginRow(Struct, frozen=True):
    """Whose rows a book holds besides its own. needs_proof: who had an account or a verified number."""

    origin_id: UUID
    merge_id: UUID
    visible_at: datetime
    needs_proof: bool
    proven_at: datetime | None
    moved_at: datetime | None
