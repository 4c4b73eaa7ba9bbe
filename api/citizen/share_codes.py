"""The citizen's share codes: eight characters for a registered practitioner, ten minutes, once."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.citizen.requests import LabelAct, LabelName
from api.idempotency import SECRET_PROBLEMS, create_once
from api.request import Call, answer
from consent.problems import NOTHING_GRANTED
from consent.share_codes import service
from consent.share_codes.models import Unlock
from consent.share_codes.policy import QR_PREFIX, shown
from consent.share_codes.problems import UNKNOWN_SHARE_CODE
from consent.share_codes.service import Choice, MadeCode
from family.problems import GUARDIAN_NEEDED
from identity.accounts.problems import IDENTITY_UNPROVEN
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED, TOO_MANY
from kernel.access import Access, Label, RecordType
from kernel.problems import Refused
from qr.draw import svg
from store.database import Tx
from store.problems import ALREADY_CREATED

TAGS = ["consent"]


class NewShareCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """What whoever redeems the code may read, within the own role. unlock: how the phone was unlocked for
    this act; it decides the tier (biometric A, pin B) and with it the longest duration. types: kinds of
    entries. since, until: of which days' entries; null for no end. labels: sensitive ones that are ticked.
    label_signatures: with tier A each of them is signed for by itself.

    The device signs JCS of: typ share-code, environment, patient_id, device_id, nonce, iat, exp, unlock,
    types (sorted), since, until, duration_seconds, labels (in the order of the schema). In tier A each label
    needs one more act: typ share-code-label, the common members, label, act (the nonce of the first).
    """

    types: Annotated[list[RecordType], Meta(min_length=1, max_length=32)]
    since: date | None = None
    until: date | None = None
    duration_seconds: Annotated[int, Meta(ge=60, le=7776000)]
    labels: Annotated[list[LabelName], Meta(max_length=8)] = []
    label_signatures: Annotated[list[LabelAct], Meta(max_length=8)] = []
    unlock: Unlock
    signed: SignedAct


class ShareCodeMade(Struct, kw_only=True):
    """Shown once. code: eight characters in two groups; qr: what the picture says."""

    code_id: UUID
    code: str
    qr: str
    svg: str
    expires_at: datetime


@post(
    "/v1/me/share-codes",
    actors=("citizen",),
    operation_id="me_share_code",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        GUARDIAN_NEEDED,
        IDENTITY_UNPROVEN,
        STEP_UP_REFUSED,
        DEVICE_ON_PROBATION,
        NOTHING_GRANTED,
        TOO_MANY,
        *SECRET_PROBLEMS,
    ),
)
async def make(data: JSONBody[NewShareCode], call: NamedDependency[Call]) -> Response[ShareCodeMade]:
    """Make a code for a registered practitioner."""
    async with begin_for(call, "share-record") as (tx, access):
        made = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: _make(tx, call, access, data),
            again=_never_again,
            id_of=lambda one: one.code_id,
        )
    return answer(made if isinstance(made, Refused) else _view(made))


@delete(
    "/v1/me/share-codes/{code_id:uuid}",
    actors=("citizen",),
    operation_id="me_end_share_code",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_SHARE_CODE,),
)
async def end(code_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End a share code that nobody used."""
    async with begin_for(call, "manage-grants") as (tx, access):
        refused = await service.end(tx, access, code_id, trace_id=call.request_id, now=call.now)
    return answer(refused)


async def _make(tx: Tx, call: Call, access: Access, data: NewShareCode) -> MadeCode | Refused:
    labels = Label.NONE
    for name in data.labels:
        labels |= Label[name]
    choice = Choice(
        types=frozenset(data.types),
        since=data.since,
        until=data.until,
        duration_seconds=data.duration_seconds,
        labels=labels,
        unlock=data.unlock,
        signed=signed_of(data.signed),
        label_signatures={one.label: signed_of(one.signed) for one in data.label_signatures},
    )
    return await service.make(
        tx,
        call.keys,
        access,
        choice,
        environment=environment_of(call),
        trace_id=call.request_id,
        now=call.now,
    )


async def _never_again(_: UUID) -> Refused:
    return Refused(problem=ALREADY_CREATED)


def _view(made: MadeCode) -> ShareCodeMade:
    qr = QR_PREFIX + made.code
    return ShareCodeMade(
        code_id=made.code_id, code=shown(made.code), qr=qr, svg=svg(qr), expires_at=made.expires_at
    )


handlers: list[Any] = [make, end]
