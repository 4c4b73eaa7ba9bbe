"""The arguments of the one filter (ehr/reads/queries.py): what an Access lets out of a record."""

import re
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from ehr.visibility.models import FAMILY, OUTSIDE
from kernel.access import ALL_LABELS, Access, Basis
from kernel.clock import end_of_day, start_of_day

Scope: TypeAlias = tuple[
    UUID,
    int,
    list[str] | None,
    datetime | None,
    datetime | None,
    datetime,
    bool,
    UUID | None,
    list[UUID],
]

# The form of a FHIR id, which ours keep.
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
# The person, who acts in the family, whom the person sends a link or card, and the apps and partners that the
# person lets in: none of them reads a result before its release.
_FAMILY: frozenset[Basis] = frozenset({"guardian", "proxy"})
_OWN: frozenset[Basis] = _FAMILY | {"self", "share-link", "partner"}
# A reader from whom nothing can be hidden by name.
_NOBODY: Final = UUID(int=0)


def scope_of(access: Access, now: datetime) -> Scope:
    """$1–$9 of every read: person, withheld labels, types, first and last-plus-one instant, now, whether
    it is an own view, who reads, merged persons.

    since and until are days in Vietnam, both inclusive. The reader is the person in the person's own view,
    which alone shows hidden rows; None where nobody knows who reads: nothing that is hidden from anybody
    exists then.
    """
    return (
        access.patient_id,
        int(access.withheld_labels),
        None if access.types is None else sorted(access.types),
        start_of_day(access.since) if access.since else None,
        end_of_day(access.until) if access.until else None,
        now,
        access.basis in _OWN,
        access.patient_id if access.is_own else _reader(access),
        sorted(access.origins),
    )


def scope_of_all(patient_id: UUID, now: datetime) -> Scope:
    """What every reader of the types sees alike, for what is decided beside reading and shows no row: nothing
    with a label, hidden from anybody, before its release, or of a merged person."""
    return (patient_id, int(ALL_LABELS), None, None, None, now, True, None, [])


def is_id(text: str) -> bool:
    """Whether a row could have this id. Nothing else is asked of the database: it refuses some texts."""
    return _ID.fullmatch(text) is not None


def _reader(access: Access) -> UUID | None:
    if access.basis == "share-link":
        return None
    if access.basis in _FAMILY:
        return FAMILY
    if access.basis == "partner":
        return OUTSIDE
    return access.actor.actor_id if access.actor.kind in {"practitioner", "citizen"} else _NOBODY
