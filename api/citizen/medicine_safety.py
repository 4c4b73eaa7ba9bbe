"""What stands out among the own medicines: told as something to ask, and dismissed with a reason."""

from typing import Annotated, Any

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.reading import OWN_PROBLEMS, Build, read_beside_record
from api.request import Call, answer
from audit.service import record_act
from ehr.medicine_safety import service
from ehr.medicine_safety.models import DismissalReason, OwnMedicineSafety
from ehr.medicine_safety.problems import NO_SUCH_FINDING
from ehr.reads.models import Built
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx

TAGS = ["book"]
FindingId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]


class DismissalRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a finding needs no more attention: weighed by a clinician, not taken any more, another substance
    after all, taken before without harm, or something else."""

    reason: DismissalReason


@get(
    "/v1/me/medicine-safety",
    actors=("citizen",),
    operation_id="read_own_medicine_safety",
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def findings(call: NamedDependency[Call]) -> Response[OwnMedicineSafety]:
    """What to ask a doctor or pharmacist about the active medicines. It blocks nothing."""
    build = looked_through(call)
    return await read_beside_record(call, "read-section", build, is_logged=True, part="medicine-safety")


@put(
    "/v1/me/medicine-safety/{finding_id:str}/dismissal",
    status_code=204,
    actors=("citizen",),
    operation_id="dismiss_own_finding",
    tags=TAGS,
    problems=(INVALID_FIELD, NO_SUCH_FINDING, DEVICE_ON_PROBATION),
)
async def dismiss(
    finding_id: FromPath[FindingId], data: JSONBody[DismissalRequest], call: NamedDependency[Call]
) -> Response[None]:
    """Say that a finding needs no more attention; it stands again when a line or the table changes."""
    async with begin_for(call, "dismiss-finding") as (tx, access):
        found = await service.dismiss(tx, access, finding_id, "person", data.reason, call.now)
        if isinstance(found, Refused):
            return answer(found)
        await log_dismissal(tx, call, access, service.shown_of(found))
    return answer(None)


def looked_through(call: Call) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await service.read_own(tx, access, call.now)

    return build


async def log_dismissal(tx: Tx, call: Call, access: Access, lines: list[tuple[str, str]]) -> None:
    """The trail: who dismissed what, in the person's log."""
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        "record:medicine-finding:dismiss",
        resources=lines,
        grant_id=access.basis_id,
        grant_version=access.basis_version,
        request_id=call.request_id,
        now=call.now,
        on_behalf_of=access.on_behalf_of,
    )


handlers: list[Any] = [findings, dismiss]
