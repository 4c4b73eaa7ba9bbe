"""The arguments of the one filter (ehr/reads/queries.py): what an Access lets out of a record."""

from datetime import date, datetime, time, timedelta
from typing import TypeAlias
from uuid import UUID

from kernel.access import Access
from kernel.clock import VIETNAM

Scope: TypeAlias = tuple[UUID, int, list[str] | None, datetime | None, datetime | None, datetime]


def scope_of(access: Access, now: datetime) -> Scope:
    """$1–$6 of every read: person, withheld labels, types, first and last-plus-one instant, now.

    since and until are days in Vietnam, both inclusive.
    """
    return (
        access.patient_id,
        int(access.withheld_labels),
        None if access.types is None else sorted(access.types),
        _midnight(access.since),
        _midnight(access.until + timedelta(days=1)) if access.until else None,
        now,
    )


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), VIETNAM) if day else None
