"""What happened to one doctor's sight of one person, as the callers saw it, and whether it can be explained.

Every operation is kept with the instants between which it took effect: when it was sent and when its answer
was there. Two that overlap may have happened in either order; everything else is fixed. A read that showed
something is explained by an approval that nothing had ended before the read began; one that showed nothing by
the absence of an approval that stood from before the read until after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Pair = tuple[UUID, UUID]
# approve, narrow: `types` is what may be seen from then on. end: a revoke, a restore or the end of time.
Kind = Literal["approve", "narrow", "end"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """pair None: of everybody. grant: the approved one that was taken back, by any of its versions; whether a
    newer one goes with it depends on what stood just then. None: whatever stood."""

    kind: Kind
    pair: Pair | None
    grant: UUID | None
    types: frozenset[str]
    began: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Look:
    """One read of one part of a record. saw: whether its entries were in the answer."""

    pair: Pair
    type_: str
    saw: bool
    began: float
    ended: float
    request_id: str


@dataclass
class History:
    changes: list[Change] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    def violations(self) -> Iterator[str]:
        """Every read that no order of what overlapped explains."""
        for look in self.looks:
            approvals = [one for one in self._of(look.pair, "approve") if look.type_ in one.types]
            if look.saw and not any(self._could_stand(one, look) for one in approvals):
                yield f"read after its end: {look}"
            if not look.saw and any(self._must_stand(one, look) for one in approvals):
                yield f"refused although granted: {look}"

    def _could_stand(self, approval: Change, look: Look) -> bool:
        """In some order the approval came before the read and nothing between them ended it."""
        ended = any(
            approval.ended < end.began and end.ended < look.began
            for end in self._ends(approval, look.type_)
            if end.kind != "end" or end.grant in (approval.grant, None)
        )
        return approval.began <= look.ended and not ended

    def _must_stand(self, approval: Change, look: Look) -> bool:
        """In every order the approval came before the read, and nothing between them can have ended it."""
        touched = any(
            approval.began <= end.ended and end.began <= look.ended
            for end in self._ends(approval, look.type_)
        )
        return approval.ended < look.began and not touched

    def _ends(self, approval: Change, type_: str) -> Iterator[Change]:
        """What can end this approval for this part of the record where it comes after it: a newer approval
        replaces it, whatever it names itself."""
        for one in self._of(approval.pair):
            if one is not approval and (one.kind != "narrow" or type_ not in one.types):
                yield one

    def _of(self, pair: Pair | None, kind: Kind | None = None) -> Iterator[Change]:
        for one in self.changes:
            if one.pair in (pair, None) and kind in (one.kind, None):
                yield one
