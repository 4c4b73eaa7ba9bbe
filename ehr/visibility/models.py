"""Hidings and release policies."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

# Stands for everybody in `hidden_from`, and for every facility in a policy.
EVERYBODY = UUID(int=0)
ANY_FACILITY = UUID(int=0)
# Stands in `hidden_from` for guardians and proxies (security.md S23): a safety flag hides from them alone.
FAMILY = UUID(int=1)
# Stands where a reader is asked for: an app or a partner that the person let in. Nothing that is hidden from
# anybody exists for it, nor a visit of a sensitive department, nor anything of one.
OUTSIDE = UUID(int=2)

HidableType = Literal[
    "Encounter", "Observation", "DiagnosticReport", "ImagingStudy", "DocumentReference", "CarePlan"
]

ReleaseCategory = Literal["laboratory", "other-results", "imaging", "documents"]
ReleaseRule = Literal["at-once", "after-review", "after-hours"]


class Hiding(Struct, frozen=True):
    """One thing hidden, from everybody (reader None) or from one practitioner."""

    hiding_id: UUID
    rtype: str
    id: str
    reader: UUID | None
    reader_name: str | None
    created_at: datetime
    ended_at: datetime | None


class ReleasePolicy(Struct, frozen=True):
    """When the person may see what a facility sends. hours counts for after-hours alone."""

    facility_id: UUID
    category: ReleaseCategory
    rule: ReleaseRule
    hours: int
