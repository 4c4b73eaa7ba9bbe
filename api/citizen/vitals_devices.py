"""Phones and hubs that send measurements: which there are, which source counts, and which is taken out."""

from typing import Annotated, Any

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.vitals_batches import TAGS
from api.problems import INVALID_FIELD
from api.reading import MEASURED_PROBLEMS, read_measured
from api.request import Call, answer
from ehr.reads.models import Built
from ehr.reads.raw import encode
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from store.database import Tx
from vitals.devices import service
from vitals.devices.models import Devices
from vitals.problems import VITAL_DEVICE_UNKNOWN, VITAL_SOURCE_UNKNOWN
from vitals.sight import sight_of
from vitals.wire import DEVICE_PATTERN

DeviceId = FromPath[Annotated[str, PathParameter(pattern=DEVICE_PATTERN)]]
SourceId = FromPath[Annotated[str, PathParameter(min_length=1, max_length=64)]]


class PriorityInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Of several sources that count steps or energy in one hour the one with the lowest number counts."""

    priority: Annotated[int, Meta(ge=1, le=99)]


@get(
    "/v1/me/vitals/devices",
    actors=("citizen",),
    operation_id="me_vital_devices",
    any_app=True,
    tags=TAGS,
    conditional=True,
    problems=MEASURED_PROBLEMS,
)
async def list_devices(call: NamedDependency[Call]) -> Response[Devices]:
    """Which devices send measurements into the book, and what measured through them."""

    async def build(tx: Tx, access: Access) -> Built:
        sight = sight_of(access)
        assert sight is not None, "read_measured refuses where nothing is seen"
        return Built(encode(await service.listed(tx, sight.people)), [])

    return await read_measured(call, None, "read-section", build, "vitals")


@delete(
    "/v1/me/vitals/devices/{device_id:str}",
    actors=("citizen",),
    operation_id="me_revoke_vital_device",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(INVALID_FIELD, DEVICE_ON_PROBATION, VITAL_DEVICE_UNKNOWN),
)
async def revoke_device(device_id: DeviceId, call: NamedDependency[Call]) -> Response[None]:
    """Take nothing more from a device. What it sent stays; it comes back only as a new one."""
    async with begin_for(call, "write-vitals") as (tx, access):
        return answer(
            await service.revoke(tx, access, device_id, request_id=call.request_id, now=call.now), status=204
        )


@put(
    "/v1/me/vitals/sources/{source_id:str}/priority",
    actors=("citizen",),
    operation_id="me_set_vital_source_priority",
    tags=TAGS,
    status_code=204,
    problems=(INVALID_FIELD, DEVICE_ON_PROBATION, VITAL_SOURCE_UNKNOWN),
)
async def set_priority(
    source_id: SourceId, data: JSONBody[PriorityInput], call: NamedDependency[Call]
) -> Response[None]:
    """Say which source counts where a watch and a phone count the same steps."""
    async with begin_for(call, "write-vitals") as (tx, access):
        refused = await service.set_priority(
            tx, access, source_id, data.priority, request_id=call.request_id, now=call.now
        )
    return answer(refused, status=204)


handlers: list[Any] = [list_devices, revoke_device, set_priority]
