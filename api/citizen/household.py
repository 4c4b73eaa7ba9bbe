"""Everybody one acts for on one page: what is due, waits and is new, each of them as the link sees it."""

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.acting import begin_for, for_relative
from api.reading import log_read
from api.request import Call, answer
from consent.requests.service import open_requests
from ehr.reads.models import Built
from family.models import Band
from family.service import Relative, dependents_of
from kernel.access import Access
from kernel.problems import Refused
from notifications.inbox import unread_about
from store.database import Tx
from vaccination.schedule.due import confirmed_due
from vaccination.schedule.service import gather
from visits.booking.service import next_of

TAGS = ["family"]
# What the log of each of them calls it.
PART: Final = "household"
# The longest page; a person has at most this many to care for in practice (ours).
MEMBERS_MAX: Final = 20


class HouseholdDose(Struct, kw_only=True):
    """The next dose whose rule was read in its source, as reminders have it."""

    antigen: str
    name_vi: str
    due_on: date


class HouseholdMember(Struct, kw_only=True):
    """One whom I act for; person_id goes into X-Patient-Id. What the link does not show is null: it says
    nothing of whether there is any. unread: notices about them in my own inbox. waiting_requests: requests
    to read their book that I may answer."""

    person_id: UUID
    name: str | None
    relation: Literal["guardian", "proxy"]
    band: Band | None
    disputed: bool
    until: datetime | None
    next_appointment_at: datetime | None
    next_appointment_id: UUID | None
    next_dose: HouseholdDose | None
    waiting_requests: int | None
    unread: int


class Household(Struct, kw_only=True):
    """Those I act for, at most 20."""

    items: list[HouseholdMember]


@get("/v1/me/household", actors=("citizen",), operation_id="me_household", tags=TAGS, problems=())
async def household(call: NamedDependency[Call]) -> Response[Household]:
    """Everybody I act for, with the next appointment and dose, requests that wait and unread notices.

    Each of them reads in the own log that I looked.
    """
    async with begin_for(call, "manage-family") as (tx, access):
        unread = await unread_about(tx, access.patient_id, call.now)
        items = [
            await _member(tx, call, access, one, unread.get(one.person_id, 0))
            for one in await dependents_of(tx, call.keys, access, call.now, MEMBERS_MAX)
        ]
    return answer(Household(items=items))


async def _member(tx: Tx, call: Call, own: Access, one: Relative, unread: int) -> HouseholdMember:
    shown: list[tuple[str, str]] = []
    seen: Access | None = None
    member = HouseholdMember(
        person_id=one.person_id,
        name=one.name,
        relation=one.relation,
        band=one.band,
        disputed=one.disputed,
        until=one.until,
        next_appointment_at=None,
        next_appointment_id=None,
        next_dose=None,
        waiting_requests=None,
        unread=unread,
    )
    if access := await for_relative(tx, call, own.actor, one.person_id, "manage-appointments"):
        row, seen = await next_of(tx, access, call.now), access
        if row is not None:
            member.next_appointment_at, member.next_appointment_id = row.starts_at, row.appointment_id
            shown.append(("Appointment", str(row.appointment_id)))
    if access := await for_relative(tx, call, own.actor, one.person_id, "read-section"):
        seen = access
        member.next_dose = await _next_dose(tx, call, access, shown)
    if access := await for_relative(tx, call, own.actor, one.person_id, "guard-grants"):
        seen = access
        member.waiting_requests = len(await open_requests(tx, one.person_id, call.now))
    if seen is not None:
        built = Built(msgspec.json.encode(member), shown)
        await log_read(tx, call, seen, built, changed=True, part=PART)
    return member


async def _next_dose(
    tx: Tx, call: Call, access: Access, shown: list[tuple[str, str]]
) -> HouseholdDose | None:
    found = await gather(tx, call.keys, access, call.now)
    if isinstance(found, Refused):
        return None
    shown += [("Immunization", dose.immunization_id) for dose in found.doses]
    due = confirmed_due(found.plans)
    if not due or due[0][1].due_on is None:
        return None
    plan = due[0][0]
    return HouseholdDose(antigen=plan.antigen, name_vi=plan.name_vi, due_on=due[0][1].due_on)


handlers: list[Any] = [household]
