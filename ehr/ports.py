"""The port behind which a FHIR R4 core stands: our own tables, or a server of a hospital or a ministry.

Two adapters are held by one contract suite (tests/contracts/test_cores.py): ehr/core/embedded.py and
ehr/core/fhir_http.py. Everything above sees this shape and no server's habits (ehr-core.md §2.1).
"""

from datetime import date, datetime
from typing import Literal, Protocol

from msgspec import Struct

# interactive: somebody waits for the answer. background: a job does.
Budget = Literal["interactive", "background"]

# unreachable: no connection; timeout: no answer in its budget; busy: asked to come back; refused: the core
# does not let us in; broken: an answer that is no FHIR R4; open: not asked, it failed too often; full: too
# many ask already. too-large: a document that is not passed through.
CoreFault = Literal["unreachable", "timeout", "busy", "refused", "broken", "open", "full", "too-large"]


class CoreError(Exception):
    """The core gave no usable answer. The text is the fault alone: an address can hold a number."""

    def __init__(self, fault: CoreFault, retry_after_seconds: int | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.retry_after_seconds = retry_after_seconds


class CoreResource(Struct, frozen=True, kw_only=True):
    """One resource as the core sent it. version: an opaque text, to be compared for equality only."""

    rtype: str
    id: str
    raw: bytes
    version: str | None
    updated: datetime | None

    @property
    def reference(self) -> str:
        return f"{self.rtype}/{self.id}"


class Listing(Struct, frozen=True, kw_only=True):
    """All that a core said of one type for one person, each resource once.

    total: what the core counted, when it said so. complete: the pages ended by themselves and nothing
    counted is missing; only then may an absent resource be taken for gone. offered: the core knows the type.
    """

    resources: list[CoreResource]
    total: int | None
    complete: bool
    offered: bool = True


class Deletions(Struct, frozen=True, kw_only=True):
    """References (`Type/id`) that were deleted since an instant. supported: the core tells deletions."""

    references: frozenset[str]
    supported: bool


# closed: it is asked; half-open: one question at a time tries whether it answers again; open: not asked now.
CoreState = Literal["closed", "half-open", "open"]


class Core(Protocol):
    """source_id owns the rows that are made of its resources; name is what people read."""

    source_id: str
    name: str

    def state(self, now: datetime) -> CoreState:
        """Whether it is asked now."""
        ...

    async def find_patients(self, system: str, value: str, budget: Budget) -> list[CoreResource]:
        """The Patients that carry this identifier. Raises CoreError."""
        ...

    async def read(self, rtype: str, ident: str, budget: Budget) -> CoreResource | None:
        """One resource; None when the core has none of that id. Raises CoreError."""
        ...

    async def list_type(
        self,
        patient: str,
        rtype: str,
        budget: Budget,
        *,
        updated_since: datetime | None = None,
        dated_since: date | None = None,
    ) -> Listing:
        """Resources of one type about `Patient/{patient}`, in no order. Raises CoreError.

        updated_since: only what was written at or after it. dated_since: only what happened on or after
        it, where the type has a date to ask for; undated resources are then missing.
        """
        ...

    async def deleted_since(self, rtype: str, since: datetime, budget: Budget) -> Deletions:
        """What of a type was deleted at or after an instant, of whomever. Raises CoreError."""
        ...

    def binary_of(self, url: str) -> str | None:
        """The id of the Binary of this core that an address in a record names; None for any other address."""
        ...

    async def read_binary(self, ident: str, budget: Budget) -> bytes | None:
        """What a Binary holds; None when the core has none of that id. Raises CoreError."""
        ...

    async def missed_events(self, subscription: str, first: int, last: int) -> bytes | None:
        """The core's notification of events by number (`$events`); None where it has no such list. Raises
        CoreError."""
        ...
