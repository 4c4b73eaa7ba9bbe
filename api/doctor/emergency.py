"""Breaking the glass: prove who you are, open, and have a second clinician sign (security.md S24)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.doctor.requests import Subject
from api.idempotency import PROBLEMS, create_once
from api.request import Call, answer
from consent.artefact import label_names
from consent.emergency import cosigning, opening
from consent.emergency.models import CosignAct, Emergency, Reason, Review, SafetyFlag
from consent.emergency.opening import Breaking
from consent.emergency.policy import PROOF_LIFE, REASON_LENGTH_MIN
from consent.emergency.problems import (
    COSIGN_REFUSED,
    EMERGENCY_REASON,
    EMERGENCY_RUNNING,
    EMERGENCY_SUSPENDED,
    NO_EMERGENCY_ARRIVAL,
    NO_EMERGENCY_UNIT,
    NOTHING_TO_COSIGN,
    PROVE_AGAIN,
    REFUSED_BY_PERSON,
    UNKNOWN_EMERGENCY,
)
from consent.problems import ACCESS_REQUEST_INVALID
from identity.problems import TOO_MANY, TOTP_REFUSED
from identity.staff import re_authenticate
from kernel.access import Actor, Label
from kernel.problems import Refused
from qr.problems import CODE_PROBLEMS
from store.database import Tx

TAGS = ["emergency-access"]
CLINICIANS = ("doctor", "nurse")
Totp = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]
LabelName = Literal["HIV", "ETH", "PSY", "SEX", "STD", "SDV", "GDIS", "RESTRICTED"]


class OneTimePassword(Struct, kw_only=True, forbid_unknown_fields=True):
    """totp: the six digits of the authenticator now; each is accepted once."""

    totp: Totp


class Proven(Struct, kw_only=True):
    """Until when this session may break the glass."""

    until: datetime


class BrokenGlass(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: why, in at least 20 characters; attestation: the sentence of the contract, typed.

    safety_flag: a ground to tell nobody for up to 72 hours.
    """

    subject: Subject
    reason: Reason
    text: Annotated[str, Meta(min_length=REASON_LENGTH_MIN, max_length=500)]
    attestation: Annotated[str, Meta(min_length=1, max_length=200)]
    safety_flag: SafetyFlag | None = None


class EmergencyOpened(Struct, kw_only=True):
    """One's own opening. waiting: it opens nothing before a second clinician has signed.

    arrival_by: until when the unit has to note the arrival; null where it is noted.
    """

    emergency_id: UUID
    patient_id: UUID
    waiting: bool
    opened_at: datetime
    ends_at: datetime
    arrival_by: datetime | None
    labels: list[str]


class EmergencyAtUnit(Struct, kw_only=True):
    """What was opened here or shall be. waiting: for the co-signature `open`. patient_id: of one's own."""

    emergency_id: UUID
    patient_id: UUID | None
    practitioner: str
    unit: str
    own: bool
    waiting: bool
    opened_at: datetime
    ends_at: datetime


class EmergenciesAtUnit(Struct, kw_only=True):
    """At most 100, the oldest first."""

    items: list[EmergencyAtUnit]


class CoSignature(Struct, kw_only=True, forbid_unknown_fields=True):
    """act: open (the third within a day), extend (once, to 24 hours), labels (show these sensitive ones)."""

    act: CosignAct
    totp: Totp
    labels: Annotated[list[LabelName], Meta(max_length=8)] = []


class CoSigned(Struct, kw_only=True):
    emergency_id: UUID
    ends_at: datetime


@post(
    "/v1/doctor/re-authenticate",
    actors=CLINICIANS,
    operation_id="doctor_re_authenticate",
    tags=TAGS,
    status_code=200,
    problems=(TOTP_REFUSED, TOO_MANY),
)
async def prove(data: JSONBody[OneTimePassword], call: NamedDependency[Call]) -> Response[Proven]:
    """Show the one-time password again; what follows within five minutes counts as done by you."""
    async with call.begin() as (tx, actor):
        refused = await re_authenticate(tx, call.keys, actor, data.totp, call.now)
    return answer(refused or Proven(until=call.now + PROOF_LIFE))


@post(
    "/v1/doctor/emergency-access",
    actors=("doctor",),
    operation_id="doctor_break_glass",
    any_app=True,
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        NO_EMERGENCY_UNIT,
        EMERGENCY_SUSPENDED,
        PROVE_AGAIN,
        EMERGENCY_REASON,
        ACCESS_REQUEST_INVALID,
        NO_EMERGENCY_ARRIVAL,
        REFUSED_BY_PERSON,
        EMERGENCY_RUNNING,
        UNKNOWN_EMERGENCY,
        TOO_MANY,
        *CODE_PROBLEMS,
        *PROBLEMS,
    ),
)
async def break_glass(data: JSONBody[BrokenGlass], call: NamedDependency[Call]) -> Response[EmergencyOpened]:
    """Open what saves a life, without the person's word. The person is told, and somebody reviews it."""
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _break(tx, call, actor, data),
            again=lambda emergency_id: opening.opened_again(tx, actor, emergency_id),
            id_of=lambda opened: opened.emergency_id,
        )
    return answer(made if isinstance(made, Refused) else _opened(made))


async def _break(tx: Tx, call: Call, actor: Actor, data: BrokenGlass) -> Emergency | Refused:
    asked = Breaking(
        kind=data.subject.kind,
        value=data.subject.value,
        reason=data.reason,
        text=data.text,
        attestation=data.attestation,
        safety_flag=data.safety_flag,
    )
    return await opening.break_glass(tx, call.keys, actor, asked, trace_id=call.request_id, now=call.now)


@get(
    "/v1/doctor/emergency-access",
    actors=CLINICIANS,
    operation_id="doctor_emergencies",
    any_app=True,
    tags=TAGS,
)
async def list_running(call: NamedDependency[Call]) -> Response[EmergenciesAtUnit]:
    """What runs at the facility or waits for a co-signature."""
    async with call.begin() as (tx, actor):
        found = await cosigning.running_at(tx, actor, call.now)
    return answer(EmergenciesAtUnit(items=[_at_unit(one, actor) for one in found]))


def _at_unit(one: Review, actor: Actor) -> EmergencyAtUnit:
    own = one.practitioner_id == actor.actor_id
    return EmergencyAtUnit(
        emergency_id=one.emergency_id,
        patient_id=one.patient_id if own else None,
        practitioner=one.practitioner_name,
        unit=one.unit_name,
        own=own,
        waiting=one.needs_cosign,
        opened_at=one.opened_at,
        ends_at=one.ends_at,
    )


@post(
    "/v1/doctor/emergency-access/{emergency_id:uuid}/co-sign",
    actors=CLINICIANS,
    operation_id="doctor_co_sign",
    any_app=True,
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_EMERGENCY, COSIGN_REFUSED, NOTHING_TO_COSIGN, TOTP_REFUSED, TOO_MANY),
)
async def co_sign(
    emergency_id: FromPath[UUID], data: JSONBody[CoSignature], call: NamedDependency[Call]
) -> Response[CoSigned]:
    """Sign a colleague's emergency access with your own one-time password."""
    labels, trace, now = _labels(data), call.request_id, call.now
    async with call.begin() as (tx, actor):
        signed = await cosigning.co_sign(
            tx, call.keys, actor, emergency_id, data.act, labels, data.totp, trace_id=trace, now=now
        )
    if isinstance(signed, Refused):
        return answer(signed)
    return answer(CoSigned(emergency_id=emergency_id, ends_at=signed.ends_at))


def _labels(data: CoSignature) -> Label:
    labels = Label.NONE
    for name in data.labels:
        labels |= Label[name]
    return labels


def _opened(made: Emergency) -> EmergencyOpened:
    return EmergencyOpened(
        emergency_id=made.emergency_id,
        patient_id=made.patient_id,
        waiting=made.needs_cosign and made.cosigned_at is None,
        opened_at=made.opened_at,
        ends_at=made.ends_at,
        arrival_by=made.arrival_by,
        labels=label_names(Label(made.labels)),
    )


handlers: list[Any] = [prove, break_glass, list_running, co_sign]
