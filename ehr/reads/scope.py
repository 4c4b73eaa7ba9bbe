"""The arguments of the one filter (ehr/reads/queries.py): what an Access lets out of a record."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from kernel.access import Access
from kernel.clock import end_of_day, start_of_day

Scope: TypeAlias = tuple[UUID, int, list[str] | None, datetime | None, datetime | None, datetime]


def scope_of(access: Access, now: datetime) -> Scope:
    """$1–$6 of every read: person, withheld labels, types, first and last-plus-one instant, now.

    since and until are days in Vietnam, both inclusive.
    """
    return (
        access.patient_id,
        int(access.withheld_labels),
        None if access.types is None else sorted(access.types),
        start_of_day(access.since) if access.since else None,
        end_of_day(access.until) if access.until else None,
        now,
    )
