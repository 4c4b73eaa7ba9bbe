"""Opening one's own book by an identity provider: a new account, a new phone, a forgotten PIN."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.public.auth import TAGS, Pin, SignedInCitizen, signed_in
from api.request import Call, answer
from identity import budgets
from identity.accounts import enrolment
from identity.accounts.enrolment import PhoneLetters, Proof
from identity.accounts.problems import IDENTITY_AT_DESK
from identity.devices import NewDevice
from identity.problems import (
    CHALLENGE_DEAD,
    DEVICE_KEY_REFUSED,
    IDENTIFIER_TAKEN,
    NUMBER_ENDED,
    PIN_TOO_EASY,
    SIGN_IN_REFUSED,
    TOO_MANY,
    TOO_MANY_DEVICES,
    TRY_LATER,
)
from identity.sign_in import SignedIn
from identity.verification import service as verification
from identity.verification.models import Begun
from identity.verification.problems import (
    RETURN_ADDRESS_UNKNOWN,
    VERIFICATION_LEVEL_LOW,
    VERIFICATION_REFUSED,
    VERIFICATION_UNAVAILABLE,
)
from kernel.problems import Refused

Token = Annotated[str, Meta(min_length=1, max_length=200)]


class EnrolmentStart(Struct, kw_only=True, forbid_unknown_fields=True):
    """secret_challenge: base64url of the SHA-256 of 32 random bytes that this device keeps to itself.
    return_to: the app's own address, as registered here; the browser comes back to it with `#receipt=…`."""

    secret_challenge: Annotated[str, Meta(min_length=43, max_length=43)]
    return_to: Annotated[str, Meta(min_length=1, max_length=300)]


class EnrolmentBegun(Struct, kw_only=True):
    """address: opened in the system's browser, within ten minutes."""

    transaction_id: UUID
    address: str
    expires_at: datetime


class EnrolmentFinish(Struct, kw_only=True, forbid_unknown_fields=True):
    """receipt: from the browser's way back. secret: the 32 bytes, base64url. number: the person's own digits.

    The device signs its enrolment with the receipt as challenge. phone: becomes the login phone, proven by
    the letters of `sign-up/start` for `enrolment`; without it the login phone stays as it is.
    """

    receipt: Token
    secret: Token
    number: Annotated[str, Meta(min_length=12, max_length=20)]
    pin: Pin
    device: NewDevice
    phone: PhoneLetters | None = None


@post(
    "/v1/auth/enrolments/start",
    status_code=201,
    actors=("public",),
    operation_id="start_enrolment",
    tags=TAGS,
    problems=(VERIFICATION_UNAVAILABLE, VERIFICATION_REFUSED, RETURN_ADDRESS_UNKNOWN, TOO_MANY),
)
async def start_enrolment(
    data: JSONBody[EnrolmentStart], call: NamedDependency[Call]
) -> Response[EnrolmentBegun]:
    """Begin to prove who one is at the identity provider; nothing of any person is asked or said here."""
    begun = await _start(call, data)
    if isinstance(begun, Refused):
        return answer(begun)
    return answer(
        EnrolmentBegun(
            transaction_id=begun.transaction_id, address=begun.address, expires_at=begun.expires_at
        )
    )


async def _start(call: Call, data: EnrolmentStart) -> Begun | Refused:
    if data.return_to not in call.identity_return:
        return Refused(problem=RETURN_ADDRESS_UNKNOWN, where="return_to")
    async with call.begin_public() as tx:
        refused = await budgets.charge_or_refuse(
            tx, budgets.ENROLMENTS_NETWORK, budgets.subject(call.network_prefix()), call.now
        )
    if refused is not None or call.verifier is None:
        return refused or Refused(problem=VERIFICATION_UNAVAILABLE)
    opened = await verification.open_at(call.verifier, call.now)
    if isinstance(opened, Refused):
        return opened
    call.time_went_by()
    async with call.begin_public() as tx:
        return await verification.begin(
            tx,
            call.keys,
            opened,
            purpose="enrolment",
            secret_challenge=data.secret_challenge,
            return_to=data.return_to,
            now=call.now,
        )


@post(
    "/v1/auth/enrolments/finish",
    status_code=201,
    actors=("public",),
    operation_id="finish_enrolment",
    tags=TAGS,
    problems=(
        VERIFICATION_REFUSED,
        VERIFICATION_LEVEL_LOW,
        IDENTITY_AT_DESK,
        PIN_TOO_EASY,
        DEVICE_KEY_REFUSED,
        SIGN_IN_REFUSED,
        CHALLENGE_DEAD,
        NUMBER_ENDED,
        IDENTIFIER_TAKEN,
        TOO_MANY_DEVICES,
        TOO_MANY,
        TRY_LATER,
    ),
)
async def finish_enrolment(
    data: JSONBody[EnrolmentFinish], call: NamedDependency[Call]
) -> Response[SignedInCitizen]:
    """Open the book of this number on this device, with a new PIN, once level 2 proved whose it is.

    The device is on probation for 72 hours; the person's other devices are told and can end it.
    """
    return answer(signed_in(await _finish(call, data)))


async def _finish(call: Call, data: EnrolmentFinish) -> SignedIn | Refused:
    origin = call.browser_origin
    proof = Proof(
        receipt=data.receipt,
        secret=data.secret,
        number=data.number,
        pin=data.pin,
        device=data.device,
        phone=data.phone,
    )
    async with call.begin_public() as tx:
        pending = await enrolment.use_proof(tx, call.keys, proof, call.network_prefix(), call.now, origin)
    if isinstance(pending, Refused):
        return pending
    pin_hash = await enrolment.hash_pin(call.keys, pending, data.pin)
    async with call.begin_public() as tx:
        return await enrolment.finish(
            tx,
            call.keys,
            pending,
            pin_hash,
            proof,
            request_id=call.request_id,
            now=call.now,
            origin=origin,
        )


handlers: list[Any] = [start_enrolment, finish_enrolment]
