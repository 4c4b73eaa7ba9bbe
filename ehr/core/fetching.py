"""Asking a core for one part of a record: type by type, page by page, outside any transaction."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.core import links
from ehr.core.policy import OVERLAP, PARTS, RECENT, REQUIRED, VISITS, LinkRow, Part, PartRow
from ehr.core.units import medication_of, sensitive_visits
from ehr.intake.ids import resource_id
from ehr.ports import Budget, Core, CoreResource
from kernel.access import Label

MEDICINES_MAX: Final = 100


class Asked(Struct, kw_only=True):
    """What one refresh works with. whole: ask for everything and take what is missing for gone.
    changed: ask for changes in every part, also in one that is fresh."""

    patient_id: UUID
    budget: Budget
    whole: bool
    changed: bool
    started: datetime
    lease: datetime
    link: LinkRow | None
    numbers: list[links.Number]
    parts: dict[Part, PartRow]


class Fetched(Struct, kw_only=True):
    """One part as the core told it.

    listed: types that were told completely. changes_only: what was written since a while;
    recent_only: what happened lately. gone: references that the core says it deleted.
    """

    part: Part
    resources: list[CoreResource]
    listed: set[str]
    complete: bool
    changes_only: bool
    recent_only: bool
    gone: set[str]

    @property
    def is_comparable(self) -> bool:
        """Whether a kept row that is not among the resources is gone at the core."""
        return not self.changes_only and not self.recent_only


async def fetch(core: Core, patient: CoreResource, part: Part, asked: Asked) -> Fetched:
    """All of a part, or what changed in it since the last time. Raises CoreError.

    A visit that moved to a sensitive department changes what is to be said of everything in it, so then
    the part is read whole.
    """
    row = asked.parts.get(part)
    if asked.whole or row is None or row.watermark is None or not row.whole:
        return await _fetch(core, patient, part, asked, None)
    fetched = await _fetch(core, patient, part, asked, row.watermark - OVERLAP)
    return await _fetch(core, patient, part, asked, None) if visits_in(fetched, core.source_id) else fetched


async def _fetch(
    core: Core, patient: CoreResource, part: Part, asked: Asked, since: datetime | None
) -> Fetched:
    recent = since is None and asked.budget == "interactive"
    dated = (asked.started - RECENT).date() if recent else None
    fetched = Fetched(
        part=part,
        resources=[],
        listed=set(),
        complete=True,
        changes_only=since is not None,
        recent_only=recent,
        gone=set(),
    )
    for rtype in (VISITS, *PARTS[part].types):
        listing = await core.list_type(
            patient.id, rtype, asked.budget, updated_since=since, dated_since=dated
        )
        fetched.resources += listing.resources
        is_missed = not listing.complete and (listing.offered or part == REQUIRED)
        fetched.complete = fetched.complete and not is_missed
        if listing.complete:
            fetched.listed.add(rtype)
        if since is not None and asked.budget == "background":
            fetched.gone |= (await core.deleted_since(rtype, since, asked.budget)).references
    fetched.resources += await _medicines(core, fetched.resources, asked.budget)
    return fetched


async def _medicines(core: Core, resources: list[CoreResource], budget: Budget) -> list[CoreResource]:
    """The Medications that requests refer to: simple reads, no chain and no `_include`."""
    wanted = sorted({ident for one in resources if (ident := medication_of(one))})[:MEDICINES_MAX]
    found = [await core.read("Medication", ident, budget) for ident in wanted]
    return [one for one in found if one is not None]


def visits_in(fetched: Fetched, source_id: str) -> dict[str, Label]:
    """Our ids of the fetched visits in sensitive departments."""
    visits = [one for one in fetched.resources if one.rtype == VISITS]
    return sensitive_visits({resource_id(source_id, one.reference): one.raw for one in visits})
