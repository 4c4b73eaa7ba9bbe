"""The citizen's own account: who am I here, and which devices are mine."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import EpochSeconds, environment_of
from api.request import Call, answer
from consent.purposes.catalogue import PurposeKey
from consent.purposes.service import unanswered
from identity import devices, page_sessions, people, phones
from identity.deaths import service as deaths
from identity.identifiers import shown_end
from identity.models import Device, Sex
from identity.problems import DEVICE_ON_PROBATION, NO_SUCH_DEVICE, STEP_UP_REFUSED
from kernel.access import Access, Actor
from kernel.problems import Refused
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
    unanswered_purposes: list[PurposeKey]


class OwnDevice(Struct, kw_only=True):
    """credential_id: of a browser's WebAuthn key, which the browser asks its authenticator for. A browser
    without one is a session: it signs nothing, nobody can trust it, and it is ended like a device."""

    device_id: UUID
    kind: Literal["app", "browser"]
    name: str
    enrolled_at: datetime
    probation_until: datetime
    this_device: bool
    credential_id: str | None = None


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
    masked = on_probation or access.actor.held
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
            OwnNumber(kind=n.kind, value=shown_end(n.value) if masked else n.value, state=n.state)
            for n in numbers
        ],
        login_phone=shown_end(phone.number) if phone else None,
        device_id=access.actor.device_id,
        on_probation=on_probation,
        unanswered_purposes=await unanswered(tx, access.patient_id),
    )


@get("/v1/me/devices", actors=("citizen",), operation_id="list_devices", any_app=True, tags=TAGS, problems=())
async def list_devices(call: NamedDependency[Call]) -> Response[OwnDevices]:
    """The person's devices, oldest first; then browsers that are signed in without a key of their own."""
    async with begin_for(call, "manage-devices") as (tx, access):
        found = await devices.list_devices(tx, call.keys, access.patient_id)
        found += await page_sessions.keyless(tx, access.patient_id, call.now)
        return answer(OwnDevices(items=[_shown(one, access.actor) for one in found]))


def _shown(device: Device, by: Actor) -> OwnDevice:
    return OwnDevice(
        device_id=device.device_id,
        kind=device.kind,
        name=device.name,
        enrolled_at=device.enrolled_at,
        probation_until=device.probation_until,
        this_device=device.device_id in (by.device_id, by.session_id),
        credential_id=device.credential_id,
    )


@delete(
    "/v1/me/devices/{device_id:uuid}",
    status_code=204,
    actors=("citizen",),
    operation_id="end_device",
    any_app=True,
    tags=TAGS,
    problems=(NO_SUCH_DEVICE, DEVICE_ON_PROBATION),
)
async def end_device(device_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End a device and its sessions at once, for instance one that I did not add."""
    async with begin_for(call, "manage-devices") as (tx, access):
        return answer(await _end(tx, call, access, device_id))


async def _end(tx: Tx, call: Call, access: Access, device_id: UUID) -> Refused | None:
    """A device, or the session of a browser without a key, which the list names in the same way."""
    if device_id != access.actor.session_id:
        ended = await devices.end_device(
            tx, access.actor, device_id, request_id=call.request_id, now=call.now
        )
        if ended is None or ended.problem is not NO_SUCH_DEVICE:
            return ended
    return await page_sessions.end_keyless(
        tx, access.actor, device_id, request_id=call.request_id, now=call.now
    )


class NumberView(Struct, kw_only=True):
    """A number as its owner sees it: its last three digits. status: replaced and cancelled ones lead to older
    files and prove nothing new."""

    kind: str
    shown: str
    state: Literal["self-declared", "facility-reported", "verified"]
    status: Literal["live", "replaced", "cancelled"]
    valid_from: date | None
    valid_until: date | None


class OwnNumbers(Struct, kw_only=True):
    numbers: list[NumberView]


@get("/v1/me/numbers", actors=("citizen",), operation_id="list_numbers", tags=TAGS, problems=())
async def list_numbers(call: NamedDependency[Call]) -> Response[OwnNumbers]:
    """List the numbers by which files find this book, and what became of each."""
    async with begin_for(call, "read-account") as (tx, access):
        found = await people.own_identifiers(tx, call.keys, access.patient_id)
    shown = [
        NumberView(
            kind=one.kind,
            shown=shown_end(one.value),
            state=one.state,
            status=one.status,
            valid_from=one.valid_from,
            valid_until=one.valid_until,
        )
        for one in found
    ]
    return answer(OwnNumbers(numbers=shown))


class ObjectionBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """nonce, iat, exp (seconds) and the signature of JCS {typ `death-objection`, environment, patient_id,
    device_id, nonce, iat, exp} by the device's step-up key."""

    nonce: Annotated[str, Meta(min_length=16, max_length=100)]
    iat: EpochSeconds
    exp: EpochSeconds
    signature: Annotated[str, Meta(min_length=1, max_length=4096)]


@post(
    "/v1/me/death-objection",
    status_code=204,
    actors=("citizen",),
    operation_id="object_to_death",
    any_app=True,
    tags=TAGS,
    problems=(STEP_UP_REFUSED,),
)
async def object_to_death(data: JSONBody[ObjectionBody], call: NamedDependency[Call]) -> Response[None]:
    """Say with the device's key that the reported death is wrong; what was paused goes on at once."""
    async with begin_for(call, "read-account") as (tx, access):
        actor = access.actor
        text = deaths.objection_text(actor, environment_of(call), data.nonce, data.iat, data.exp)
        refused = await deaths.object_to(
            tx,
            actor,
            text,
            data.signature,
            environment=environment_of(call),
            request_id=call.request_id,
            now=call.now,
        )
    return answer(refused)


handlers: list[Any] = [get_profile, list_devices, end_device, list_numbers, object_to_death]
