"""Who keeps an eye on the log from outside."""

from typing import Protocol

from msgspec import Struct

from audit.roots.models import Cosignature, Count, SignedRoot, Steps


class Offer(Struct, frozen=True, kw_only=True):
    """A root, and that it continues the one of `old_size`, which the witness is thought to know (0: none)."""

    old_size: Count
    consistency: Steps
    root: SignedRoot


class WitnessBehindError(Exception):
    """The witness knows the log at another size, and wants the proof from there."""

    def __init__(self, size: int) -> None:
        super().__init__("the witness knows another size")
        self.size = size


class WitnessRefusedError(Exception):
    """The witness will not sign, or what it signed does not hold: somebody must look at it."""


class WitnessUnreachableError(Exception):
    """No answer, or none of the protocol. Later again."""


class Witness(Protocol):
    """Keeps the last root that it saw of each log, signs continuations of it and nothing else."""

    async def offer(self, offer: Offer) -> Cosignature:
        """Raises WitnessBehindError, WitnessRefusedError, WitnessUnreachableError."""
        ...
