"""What a person keeps from the family: check-ins and appointments (security.md S23)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.acting import begin_for
from api.request import Call, answer
from audit.service import record_act
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from store.database import Tx
from visits.safety import service
from visits.safety.models import ItemKind
from visits.safety.problems import TOO_MANY_KEPT, VISIT_UNKNOWN

TAGS = ["check-in"]
ONE = "/v1/me/visit-safety/{item_id:uuid}"


class KeptVisit(Struct, kw_only=True):
    """A check-in or an appointment that guardians, proxies and emergency contacts learn nothing of."""

    item_id: UUID
    kind: ItemKind
    kept_since: datetime


class KeptVisits(Struct, kw_only=True):
    """All of them, newest first; at most 200, and nobody keeps more. What lies at a sensitive department, or
    at a facility that is nothing else, is kept without being here."""

    items: list[KeptVisit]


@get("/v1/me/visit-safety", actors=("citizen",), operation_id="me_kept_visits", tags=TAGS, problems=())
async def list_kept(call: NamedDependency[Call]) -> Response[KeptVisits]:
    """What the person keeps from the family, and what a clinician kept for them."""
    async with begin_for(call, "manage-record") as (tx, access):
        found = await service.kept(tx, access)
    items = [KeptVisit(item_id=one.item_id, kind=one.kind, kept_since=one.set_at) for one in found]
    return answer(KeptVisits(items=items))


@put(
    ONE,
    actors=("citizen",),
    operation_id="me_keep_visit",
    tags=TAGS,
    status_code=204,
    problems=(VISIT_UNKNOWN, TOO_MANY_KEPT, DEVICE_ON_PROBATION),
)
async def keep(item_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Keep a check-in or an appointment of one's own from the family. Nobody is told."""
    async with begin_for(call, "manage-record") as (tx, access):
        refused = await service.keep(tx, access, item_id, "own-wish", call.now)
        if refused is None:
            await log_kept(tx, call, access, "visit:safety:keep")
    return answer(refused)


@delete(
    ONE,
    actors=("citizen",),
    operation_id="me_show_visit",
    tags=TAGS,
    status_code=204,
    problems=(VISIT_UNKNOWN, DEVICE_ON_PROBATION),
)
async def show(item_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Let the family see a check-in or an appointment again."""
    async with begin_for(call, "manage-record") as (tx, access):
        refused = await service.show(tx, access, item_id, call.now)
        if refused is None:
            await log_kept(tx, call, access, "visit:safety:show")
    return answer(refused)


async def log_kept(tx: Tx, call: Call, access: Access, action: str) -> None:
    """A row in the person's log, which no guardian is shown (audit/family_log.py)."""
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        action,
        grant_id=access.basis_id,
        grant_version=access.basis_version,
        request_id=call.request_id,
        now=call.now,
    )


handlers: list[Any] = [list_kept, keep, show]
