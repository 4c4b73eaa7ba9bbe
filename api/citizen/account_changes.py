"""Changes of one's own account that a trusted device signs: PIN, phone, and which other device is trusted."""

import hashlib
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.account import TAGS
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.public.auth import Pin
from api.request import Call, answer
from consent.step_up import verify_act
from identity.accounts import phone_change, pins, proofs, trusting
from identity.accounts.models import ProofStarted
from identity.problems import (
    CHALLENGE_DEAD,
    DEVICE_ON_PROBATION,
    NO_SUCH_DEVICE,
    PHONE_INVALID,
    PIN_TOO_EASY,
    SIGN_IN_REFUSED,
    STEP_UP_REFUSED,
    TOO_MANY,
    TRY_LATER,
)
from identity.tokens import to_base64url
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx

TRUST_TYP: Final = "trust-device"
PIN_TYP: Final = "change-pin"
PHONE_TYP: Final = "change-phone"


class TrustBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """signed: JCS of the common members, typ `trust-device` and `trusts`, the id of the new device."""

    signed: SignedAct


class PinBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """signed: JCS of the common members, typ `change-pin` and `pin_sha256`: base64url of SHA-256 of nonce, a
    point, and the PIN."""

    pin: Pin
    signed: SignedAct


class PhoneBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """signed: JCS of the common members, typ `change-phone` and `phone`, the number in the form `+84…`."""

    phone: Annotated[str, Meta(min_length=8, max_length=30)]
    signed: SignedAct


class PhoneConfirm(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: the six letters that came to the new phone."""

    challenge_id: Annotated[str, Meta(min_length=1, max_length=64)]
    code: Annotated[str, Meta(min_length=1, max_length=20)]


@post(
    "/v1/me/devices/{device_id:uuid}/trust",
    status_code=204,
    actors=("citizen",),
    operation_id="trust_device",
    tags=TAGS,
    problems=(STEP_UP_REFUSED, DEVICE_ON_PROBATION, NO_SUCH_DEVICE),
)
async def trust_device(
    device_id: FromPath[UUID], data: JSONBody[TrustBody], call: NamedDependency[Call]
) -> Response[None]:
    """End the probation of my new device with the word of this one, which is on none."""
    async with begin_for(call, "change-factors") as (tx, access):
        refused = await _signed(tx, call, access, TRUST_TYP, {"trusts": str(device_id)}, data.signed)
        refused = refused or await trusting.trust_device(
            tx, access, device_id, request_id=call.request_id, now=call.now
        )
    return answer(refused)


@post(
    "/v1/me/pin",
    status_code=204,
    actors=("citizen",),
    operation_id="change_pin",
    tags=TAGS,
    problems=(STEP_UP_REFUSED, DEVICE_ON_PROBATION, PIN_TOO_EASY, TOO_MANY, TRY_LATER),
)
async def change_pin(data: JSONBody[PinBody], call: NamedDependency[Call]) -> Response[None]:
    """Set a new PIN by the word of this device; a forgotten one is not asked for."""
    digest = hashlib.sha256(f"{data.signed.nonce}.{data.pin}".encode()).digest()
    async with begin_for(call, "change-factors") as (tx, access):
        refused = await _signed(tx, call, access, PIN_TYP, {"pin_sha256": to_base64url(digest)}, data.signed)
        refused = refused or await pins.check(tx, call.keys, access, data.pin, call.now)
    if refused is not None:
        return answer(refused)
    pin_hash = await pins.hash_pin(call.keys, access, data.pin)
    async with begin_for(call, "change-factors") as (tx, access):
        await pins.keep(tx, access, pin_hash, request_id=call.request_id, now=call.now)
    return answer(None)


@post(
    "/v1/me/phone",
    status_code=202,
    actors=("citizen",),
    operation_id="start_phone_change",
    tags=TAGS,
    problems=(STEP_UP_REFUSED, DEVICE_ON_PROBATION, PHONE_INVALID, TOO_MANY),
)
async def start_phone_change(
    data: JSONBody[PhoneBody], call: NamedDependency[Call]
) -> Response[ProofStarted]:
    """Ask for six letters to the new phone, by the word of this device."""
    async with begin_for(call, "change-factors") as (tx, access):
        number = proofs.number_of(data.phone)
        if number is None:
            return answer(Refused(problem=PHONE_INVALID, where="phone"))
        refused = await _signed(tx, call, access, PHONE_TYP, {"phone": number}, data.signed)
        if refused is not None:
            return answer(refused)
        return answer(await phone_change.start(tx, call.keys, access, number, call.now))


@post(
    "/v1/me/phone/confirm",
    status_code=204,
    actors=("citizen",),
    operation_id="confirm_phone_change",
    tags=TAGS,
    problems=(SIGN_IN_REFUSED, CHALLENGE_DEAD, DEVICE_ON_PROBATION),
)
async def confirm_phone_change(data: JSONBody[PhoneConfirm], call: NamedDependency[Call]) -> Response[None]:
    """Confirm the new phone by its letters: sign-ins go there now, and doctors' codes after 72 hours."""
    async with begin_for(call, "change-factors") as (tx, access):
        return answer(
            await phone_change.confirm(
                tx,
                call.keys,
                access,
                data.challenge_id,
                data.code,
                request_id=call.request_id,
                now=call.now,
            )
        )


async def _signed(
    tx: Tx, call: Call, access: Access, typ: str, facts: dict[str, str], act: SignedAct
) -> Refused | None:
    held = await verify_act(
        tx, access, typ, facts, signed_of(act), environment=environment_of(call), now=call.now
    )
    return held if isinstance(held, Refused) else None


handlers: list[Any] = [trust_device, change_pin, start_phone_change, confirm_phone_change]
