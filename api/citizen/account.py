"""The citizen's own account: who am I here, and which devices are mine."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from litestar import Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.acting import begin_for
from api.request import Call, answer
from identity import devices, people, phones
from identity.identifiers import shown_end
from identity.models import Sex
from identity.problems import DEVICE_ON_PROBATION, NO_SUCH_DEVICE
from kernel.access import Access
from store.database import Tx

TAGS = ["account"]


class OwnNumber(Struct, kw_only=True):
    """state: how sure the register is of it."""

    kind: str
    value: str
    state: Literal["self-declared", "facility-reported", "verified"]


class Profile(Struct, kw_only=True):
    """birth_date: at the precision that is known. login_phone: the last three digits only.

    numbers: whole, but on a device on probation the last three digits only.
    """

    patient_id: UUID
    name: str | None
    birth_date: str | None
    birth_precision: Literal["year", "month", "day"] | None
    sex: Sex
    address: str | None
    level: int
    numbers: list[OwnNumber]
    login_phone: str | None
    device_id: UUID | None
    on_probation: bool


class OwnDevice(Struct, kw_only=True):
    device_id: UUID
    kind: Literal["app", "browser"]
    name: str
    enrolled_at: datetime
    probation_until: datetime
    this_device: bool


class OwnDevices(Struct, kw_only=True):
    items: list[OwnDevice]
    next: str | None = None


@get("/v1/me", actors=("citizen",), operation_id="get_profile", tags=TAGS, problems=())
async def get_profile(call: NamedDependency[Call]) -> Response[Profile]:
    """The signed-in person's own data."""
    async with begin_for(call, "read-account") as (tx, access):
        return answer(await _profile(tx, call, access))


async def _profile(tx: Tx, call: Call, access: Access) -> Profile:
    card = await people.person_card(tx, call.keys, access.patient_id)
    assert card is not None, "an actor is re-read with the person's row"
    phone = await phones.login_phone(tx, call.keys, access.patient_id, call.now)
    numbers = await people.own_identifiers(tx, call.keys, access.patient_id)
    on_probation = access.actor.probation
    return Profile(
        patient_id=card.patient_id,
        name=card.name,
        birth_date=card.birth_date,
        birth_precision=card.birth_precision,
        sex=card.sex,
        address=card.address,
        level=card.level,
        numbers=[
            # Whoever has a stolen SIM and the PIN must not learn the numbers that other doors ask for (S8).
            OwnNumber(kind=n.kind, value=shown_end(n.value) if on_probation else n.value, state=n.state)
            for n in numbers
        ],
        login_phone=shown_end(phone.number) if phone else None,
        device_id=access.actor.device_id,
        on_probation=on_probation,
    )


@get("/v1/me/devices", actors=("citizen",), operation_id="list_devices", tags=TAGS, problems=())
async def list_devices(call: NamedDependency[Call]) -> Response[OwnDevices]:
    """The person's devices, oldest first."""
    async with begin_for(call, "manage-devices") as (tx, access):
        found = await devices.list_devices(tx, call.keys, access.patient_id)
    items = [
        OwnDevice(
            device_id=d.device_id,
            kind=d.kind,
            name=d.name,
            enrolled_at=d.enrolled_at,
            probation_until=d.probation_until,
            this_device=d.device_id == access.actor.device_id,
        )
        for d in found
    ]
    return answer(OwnDevices(items=items))


@delete(
    "/v1/me/devices/{device_id:uuid}",
    status_code=204,
    actors=("citizen",),
    operation_id="end_device",
    tags=TAGS,
    problems=(NO_SUCH_DEVICE, DEVICE_ON_PROBATION),
)
async def end_device(device_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End a device and its sessions at once, for instance one that I did not add."""
    async with begin_for(call, "manage-devices") as (tx, access):
        return answer(
            await devices.end_device(tx, access.actor, device_id, request_id=call.request_id, now=call.now)
        )


handlers: list[Any] = [get_profile, list_devices, end_device]
