"""One basis of reads with both of its counts."""

from uuid import UUID

from msgspec import Struct


class Reconciled(Struct, frozen=True):
    """answered: reads that left; logged: rows of the log. More answered than logged is a gap."""

    patient_id: UUID
    basis_id: UUID
    answered: int
    logged: int

    @property
    def is_gap(self) -> bool:
        return self.answered > self.logged


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What an operator sees. uncounted: rows whose answer was never counted, as a killed process or a
    caller who hung up leaves them; a row too many hides no read."""

    bases: int
    answered: int
    logged: int
    uncounted: int
    gaps: list[Reconciled]
