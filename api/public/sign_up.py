"""Signing up with a phone: an account of level 0, which holds what its person enters and nothing else."""

from typing import Annotated, Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.public.auth import TAGS, Pin, SignedInCitizen, signed_in
from api.request import Call, answer
from identity.accounts import sign_up
from identity.accounts.models import ProofStarted, StartPurpose
from identity.accounts.problems import BIRTH_DATE_INVALID
from identity.accounts.sign_up import SaidOfOneself
from identity.devices import NewDevice
from identity.problems import (
    CHALLENGE_DEAD,
    DEVICE_KEY_REFUSED,
    PHONE_INVALID,
    PIN_TOO_EASY,
    SIGN_IN_REFUSED,
    TOO_MANY,
    TRY_LATER,
)
from identity.sign_in import SignedIn
from kernel.problems import Refused


class SignUpStart(Struct, kw_only=True, forbid_unknown_fields=True):
    """phone: a mobile number of this person, in any usual spelling. purpose: what the letters will serve, and
    what the SMS says of them: an account of level 0, or the login phone of a book that a provider opens."""

    phone: Annotated[str, Meta(min_length=1, max_length=30)]
    purpose: StartPurpose = "sign-up"


class SignUpFinish(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: the six letters of the SMS. said: what the person says of oneself; nothing matches by it."""

    challenge_id: Annotated[str, Meta(min_length=1, max_length=64)]
    code: Annotated[str, Meta(min_length=1, max_length=20)]
    pin: Pin
    said: SaidOfOneself
    device: NewDevice


@post(
    "/v1/auth/sign-up/start",
    status_code=202,
    actors=("public",),
    operation_id="start_sign_up",
    tags=TAGS,
    problems=(PHONE_INVALID, TOO_MANY),
)
async def start_sign_up(data: JSONBody[SignUpStart], call: NamedDependency[Call]) -> Response[ProofStarted]:
    """Ask for six letters to a phone; the answer is the same for every mobile number."""
    async with call.begin_public() as tx:
        return answer(
            await sign_up.start(tx, call.keys, data.phone, call.network_prefix(), call.now, data.purpose)
        )


@post(
    "/v1/auth/sign-up/finish",
    status_code=201,
    actors=("public",),
    operation_id="finish_sign_up",
    tags=TAGS,
    problems=(
        SIGN_IN_REFUSED,
        CHALLENGE_DEAD,
        PIN_TOO_EASY,
        BIRTH_DATE_INVALID,
        DEVICE_KEY_REFUSED,
        TOO_MANY,
        TRY_LATER,
    ),
)
async def finish_sign_up(
    data: JSONBody[SignUpFinish], call: NamedDependency[Call]
) -> Response[SignedInCitizen]:
    """Make an account of level 0 with the letters and a PIN.

    Its book is empty, and no record ever attaches to it: the true book opens at the desk of a facility or
    with an identity provider, and this one stays beside it.
    """
    return answer(signed_in(await _finish(call, data)))


async def _finish(call: Call, data: SignUpFinish) -> SignedIn | Refused:
    origin = call.browser_origin
    async with call.begin_public() as tx:
        pending = await sign_up.use_code(
            tx, call.keys, data.challenge_id, data.code, data.pin, data.said, data.device, call.now, origin
        )
    if isinstance(pending, Refused):
        return pending
    pin_hash = await sign_up.hash_pin(call.keys, pending, data.pin)
    async with call.begin_public() as tx:
        return await sign_up.finish(
            tx,
            call.keys,
            pending,
            pin_hash,
            data.said,
            data.device,
            request_id=call.request_id,
            now=call.now,
            origin=origin,
        )


handlers: list[Any] = [start_sign_up, finish_sign_up]
