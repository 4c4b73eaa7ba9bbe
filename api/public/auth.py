"""The doors: activation, sign-in of people, staff, operators and machines, refresh."""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from identity import activation, sessions, sign_in, staff
from identity.devices import NewDevice
from identity.models import PractitionerCard
from identity.passwords import POOL
from identity.problems import (
    ACTIVATION_REFUSED,
    CHALLENGE_DEAD,
    CLOCK_OFF,
    DEVICE_KEY_REFUSED,
    PIN_TOO_EASY,
    SESSION_ENDED,
    SIGN_IN_REFUSED,
    TOO_MANY,
    TOO_MANY_DEVICES,
    TRY_LATER,
)
from identity.resting import kept
from identity.sessions import Tokens
from identity.sign_in import SignedIn, SignInStarted
from kernel.access import Role
from kernel.problems import Refused

TAGS = ["auth"]
Short = Annotated[str, Meta(min_length=1, max_length=200)]
Pin = Annotated[str, Meta(min_length=1, max_length=12)]
Totp = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class ActivationBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: as the desk handed it out. phone: the number of this phone, as the desk wrote it down."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    phone: Annotated[str, Meta(min_length=8, max_length=20)]
    pin: Pin
    device: NewDevice


class SignInStart(Struct, kw_only=True, forbid_unknown_fields=True):
    """kind: number or phone, of which the second serves where one person alone signs in with it.
    value: the person's own 12 digits, or the phone."""

    kind: Literal["number", "phone"]
    value: Annotated[str, Meta(min_length=1, max_length=30)]


class SignInVerify(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: the six letters of the SMS."""

    challenge_id: Annotated[str, Meta(min_length=1, max_length=64)]
    code: Annotated[str, Meta(min_length=1, max_length=20)]
    pin: Pin | None = None
    device: NewDevice


class SignedInCitizen(Struct, kw_only=True):
    """hotp_secret and tokens are handed out this once. hotp_secret: for the digits that are read out, also
    without a network (tier C). probation_until: until then this device may do less."""

    patient_id: UUID
    device_id: UUID
    hotp_secret: str
    probation_until: datetime
    access_token: str
    expires_in_seconds: int
    refresh_token: str


class RefreshBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """iat: the phone's clock, seconds since 1970. signature: by the refresh key over JCS {typ: refresh,
    token_sha256, iat}."""

    refresh_token: Short
    iat: Annotated[int, Meta(ge=0, le=2**40)]
    signature: Annotated[str, Meta(min_length=1, max_length=100)]


class PractitionerSignIn(Struct, kw_only=True, forbid_unknown_fields=True):
    username: Short
    password: Short
    totp: Totp
    practitioner_role_id: UUID | None = None


class OperatorSignIn(Struct, kw_only=True, forbid_unknown_fields=True):
    username: Short
    password: Short
    totp: Totp


class RoleChoice(Struct, kw_only=True):
    """One way to work: a role at a facility."""

    practitioner_role_id: UUID
    role: Role
    facility_id: UUID
    facility_name: str


class SignedInPractitioner(Struct, kw_only=True):
    """role: the one of this session; the others need a sign-in of their own."""

    access_token: str
    expires_in_seconds: int
    practitioner_id: UUID
    name: str
    role: RoleChoice
    roles: list[RoleChoice]


class AccessToken(Struct, kw_only=True):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a name of RFC 6749, not a secret)
    expires_in_seconds: int


class ClientCredentials(Struct, kw_only=True, forbid_unknown_fields=True):
    """RFC 6749 §4.4 in JSON."""

    grant_type: Literal["client_credentials"]
    client_id: Annotated[str, Meta(min_length=1, max_length=64)]
    client_secret: Annotated[str, Meta(min_length=1, max_length=100)]


@post(
    "/v1/auth/activations",
    status_code=201,
    actors=("public",),
    operation_id="redeem_activation",
    tags=TAGS,
    problems=(ACTIVATION_REFUSED, PIN_TOO_EASY, DEVICE_KEY_REFUSED, TOO_MANY, TRY_LATER),
)
async def redeem_activation(
    data: JSONBody[ActivationBody], call: NamedDependency[Call]
) -> Response[SignedInCitizen]:
    """Redeem an activation code: enrols the phone, sets the PIN, signs in."""
    return answer(signed_in(await _redeem(call, data)))


async def _redeem(call: Call, data: ActivationBody) -> SignedIn | Refused:
    network, origin = call.network_prefix(), call.browser_origin
    async with call.begin_public() as tx:
        pending = await activation.use_code(
            tx, call.keys, data.code, data.phone, data.pin, data.device, network, call.now, origin
        )
    if isinstance(pending, Refused):
        return pending
    pin_hash = await activation.hash_pin(call.keys, pending, data.pin)
    async with call.begin_public() as tx:
        return await activation.finish(
            tx,
            call.keys,
            pending,
            pin_hash,
            data.device,
            request_id=call.request_id,
            now=call.now,
            origin=origin,
        )


@post(
    "/v1/auth/sign-in/start",
    status_code=202,
    actors=("public",),
    operation_id="start_sign_in",
    any_app=True,
    tags=TAGS,
    problems=(TOO_MANY,),
)
async def start_sign_in(data: JSONBody[SignInStart], call: NamedDependency[Call]) -> Response[SignInStarted]:
    """Ask for the six letters; they go to the person's login phone or nowhere.

    The answer is the same for everybody. Where several people sign in with one phone, each starts
    with the own number.
    """
    async with call.begin_public() as tx:
        return answer(
            await sign_in.start(tx, call.keys, data.kind, data.value, call.network_prefix(), call.now)
        )


@post(
    "/v1/auth/sign-in/verify",
    status_code=201,
    actors=("public",),
    operation_id="verify_sign_in",
    any_app=True,
    tags=TAGS,
    problems=(SIGN_IN_REFUSED, CHALLENGE_DEAD, DEVICE_KEY_REFUSED, TOO_MANY_DEVICES, TOO_MANY, TRY_LATER),
)
async def verify_sign_in(
    data: JSONBody[SignInVerify], call: NamedDependency[Call]
) -> Response[SignedInCitizen]:
    """Sign in on a new device with the letters and the PIN; the device is on probation for 72 hours."""
    return answer(signed_in(await _verify(call, data)))


async def _verify(call: Call, data: SignInVerify) -> SignedIn | Refused:
    async with call.begin_public() as tx:
        pending = await sign_in.charge_code(tx, call.keys, data.challenge_id, data.code, call.now)
    if isinstance(pending, Refused):
        return pending
    held = await sign_in.pin_holds(call.keys, pending, data.pin)
    async with call.begin_public() as tx:
        done = await sign_in.finish(
            tx,
            call.keys,
            pending,
            held,
            data.device,
            request_id=call.request_id,
            now=call.now,
            origin=call.browser_origin,
        )
    return await kept(call.begin_public, call.keys, pending.rests, data.pin, done)


@post(
    "/v1/auth/refresh",
    status_code=200,
    actors=("public",),
    operation_id="refresh_session",
    any_app=True,
    tags=TAGS,
    problems=(SESSION_ENDED, CLOCK_OFF),
)
async def refresh_session(data: JSONBody[RefreshBody], call: NamedDependency[Call]) -> Response[Tokens]:
    """Renew a session, signed by the device's refresh key. A used token ends the whole family."""
    async with call.begin_public() as tx:
        done = await sessions.refresh(tx, call.keys, data.refresh_token, data.iat, data.signature, call.now)
    if not isinstance(done, Refused):
        call.callers.found(done.access_token)
    return answer(done)


@post(
    "/v1/auth/sign-out",
    status_code=204,
    actors=("citizen", *get_args(Role), "facility-system", "kiosk", "operator"),
    operation_id="sign_out",
    any_app=True,
    tags=TAGS,
    problems=(),
)
async def sign_out(call: NamedDependency[Call]) -> None:
    """End this session; other people on the same phone stay signed in."""
    async with call.begin() as (tx, actor):
        await sessions.sign_out(tx, actor, call.now)


@post(
    "/v1/auth/practitioner/sign-in",
    status_code=201,
    actors=("public",),
    operation_id="sign_in_practitioner",
    any_app=True,
    tags=TAGS,
    problems=(SIGN_IN_REFUSED, TOO_MANY, TRY_LATER),
)
async def sign_in_practitioner(
    data: JSONBody[PractitionerSignIn], call: NamedDependency[Call]
) -> Response[SignedInPractitioner]:
    """Sign in staff with password and one-time password, in one role; ends after 15 idle minutes."""
    with POOL.expected():
        async with call.begin_public() as tx:
            pending = await staff.charge_account(
                tx, call.keys, "practitioner", data.username, call.network_prefix(), call.now
            )
    if isinstance(pending, Refused):
        return answer(pending)
    held = await staff.password_holds(call.keys, pending, data.password)
    async with call.begin_public() as tx:
        done = await staff.finish_practitioner(
            tx, call.keys, pending, held, data.totp, data.practitioner_role_id, call.now
        )
    done = await kept(call.begin_public, call.keys, pending.rests, data.password, done)
    return answer(done if isinstance(done, Refused) else _signed_in_staff(done))


@post(
    "/v1/auth/operator/sign-in",
    status_code=201,
    actors=("public",),
    operation_id="sign_in_operator",
    tags=TAGS,
    problems=(SIGN_IN_REFUSED, TOO_MANY, TRY_LATER),
)
async def sign_in_operator(
    data: JSONBody[OperatorSignIn], call: NamedDependency[Call]
) -> Response[AccessToken]:
    """Sign in an operator with password and one-time password."""
    with POOL.expected():
        async with call.begin_public() as tx:
            pending = await staff.charge_account(
                tx, call.keys, "operator", data.username, call.network_prefix(), call.now
            )
    if isinstance(pending, Refused):
        return answer(pending)
    held = await staff.password_holds(call.keys, pending, data.password)
    async with call.begin_public() as tx:
        done = await staff.finish_operator(tx, call.keys, pending, held, data.totp, call.now)
    done = await kept(call.begin_public, call.keys, pending.rests, data.password, done)
    return answer(_access_token(done))


@post(
    "/v1/auth/token",
    status_code=200,
    actors=("public",),
    operation_id="issue_client_token",
    tags=TAGS,
    problems=(SIGN_IN_REFUSED, TOO_MANY),
)
async def issue_client_token(
    data: JSONBody[ClientCredentials], call: NamedDependency[Call]
) -> Response[AccessToken]:
    """An access token of one hour for a facility's system or a kiosk."""
    async with call.begin_public() as tx:
        done = await staff.sign_in_client(tx, call.keys, data.client_id, data.client_secret, call.now)
    return answer(_access_token(done))


def signed_in(done: SignedIn | Refused) -> SignedInCitizen | Refused:
    """What a door that enrolled a device answers with."""
    if isinstance(done, Refused):
        return done
    return SignedInCitizen(
        patient_id=done.patient_id,
        device_id=done.enrolled.device_id,
        hotp_secret=done.enrolled.hotp_secret,
        probation_until=done.enrolled.probation_until,
        access_token=done.tokens.access_token,
        expires_in_seconds=done.tokens.expires_in_seconds,
        refresh_token=done.tokens.refresh_token or "",
    )


def _signed_in_staff(done: staff.StaffSignedIn) -> SignedInPractitioner:
    return SignedInPractitioner(
        access_token=done.tokens.access_token,
        expires_in_seconds=done.tokens.expires_in_seconds,
        practitioner_id=done.role.practitioner_id,
        name=done.role.name,
        role=role_choice(done.role),
        roles=[role_choice(role) for role in done.roles],
    )


def role_choice(card: PractitionerCard) -> RoleChoice:
    return RoleChoice(
        practitioner_role_id=card.practitioner_role_id,
        role=card.role,
        facility_id=card.facility_id,
        facility_name=card.facility_name,
    )


def _access_token(done: Tokens | Refused) -> AccessToken | Refused:
    if isinstance(done, Refused):
        return done
    return AccessToken(access_token=done.access_token, expires_in_seconds=done.expires_in_seconds)


handlers: list[Any] = [
    redeem_activation,
    start_sign_in,
    verify_sign_in,
    refresh_session,
    sign_out,
    sign_in_practitioner,
    sign_in_operator,
    issue_client_token,
]
