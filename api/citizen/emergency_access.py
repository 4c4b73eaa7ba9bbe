"""The person's side of broken glass: see it, stop it, dispute it, leave parts out of it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.reading import Cursor, Limit
from api.request import Call, answer
from consent.artefact import label_names
from consent.emergency import personal
from consent.emergency.models import Category, DisputeReason, Emergency, Reason, Verdict
from consent.emergency.problems import ALREADY_DISPUTED, UNKNOWN_EMERGENCY
from family.problems import NOT_IN_YOUR_CARE
from identity.problems import STEP_UP_REFUSED
from kernel.access import Label
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused

TAGS = ["emergency-access"]


class EmergencyView(Struct, kw_only=True):
    """One time the glass was broken. live: it opens the record now. waiting: for a second clinician.

    doctor: of a protected one an alias, and no licence. labels: sensitive ones that were shown.
    outcome: of the review; null while it is owed.
    """

    emergency_id: UUID
    doctor: str
    licence: str | None
    facility: str
    unit: str
    reason: Reason
    opened_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    live: bool
    waiting: bool
    extended: bool
    labels: list[str]
    disputed_at: datetime | None
    dispute: DisputeReason | None
    outcome: Verdict | None
    reviewed_at: datetime | None


class Emergencies(Struct, kw_only=True):
    """A page, newest first; next opens the one after."""

    items: list[EmergencyView]
    next: str | None


class Dispute(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: in the person's own words, for the reviewer."""

    reason: DisputeReason
    text: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None


class EmergencySettings(Struct, kw_only=True):
    """What is left out of emergency access; allergies cannot be."""

    withheld: list[Category]


class NewEmergencySettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """Leaving out more needs no signature. Letting in again what was left out: the device signs JCS of typ
    emergency-settings, environment, patient_id, device_id, nonce, iat, exp, withheld (in the order of the
    schema)."""

    withheld: Annotated[list[Category], Meta(max_length=7)]
    signed: SignedAct | None = None


@get(
    "/v1/me/emergency-access",
    actors=("citizen",),
    operation_id="me_emergencies",
    any_app=True,
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_emergencies(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Emergencies]:
    """Every time somebody broke the glass to this record."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    async with begin_for(call, "manage-grants") as (tx, access):
        found, last = await personal.of_person(tx, call.keys, access, before, limit or PAGE_DEFAULT, call.now)
    following = encode_cursor(str(last)) if last else None
    return answer(Emergencies(items=[_view(one, call.now) for one in found], next=following))


@post(
    "/v1/me/emergency-access/{emergency_id:uuid}/end",
    actors=("citizen",),
    operation_id="me_end_emergency",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_EMERGENCY,),
)
async def end(emergency_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Stop an emergency access; the next request is refused."""
    async with begin_for(call, "manage-grants") as (tx, access):
        done = await personal.end(tx, access, emergency_id, trace_id=call.request_id, now=call.now)
    return answer(done, status=None if isinstance(done, Refused) else 204)


@post(
    "/v1/me/emergency-access/{emergency_id:uuid}/dispute",
    actors=("citizen",),
    operation_id="me_dispute_emergency",
    any_app=True,
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_EMERGENCY, ALREADY_DISPUTED),
)
async def dispute(
    emergency_id: FromPath[UUID], data: JSONBody[Dispute], call: NamedDependency[Call]
) -> Response[EmergencyView]:
    """Say that an emergency access should not have been: it ends, and is reviewed within 72 hours."""
    async with begin_for(call, "manage-grants") as (tx, access):
        done = await personal.dispute(
            tx,
            call.keys,
            access,
            emergency_id,
            data.reason,
            data.text,
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(done if isinstance(done, Refused) else _view(done, call.now))


@get(
    "/v1/me/emergency-access/settings",
    actors=("citizen",),
    operation_id="me_emergency_settings",
    tags=TAGS,
)
async def settings(call: NamedDependency[Call]) -> Response[EmergencySettings]:
    """What is left out of emergency access."""
    async with begin_for(call, "manage-grants") as (tx, access):
        kept = await personal.withheld(tx, access.patient_id)
    return answer(EmergencySettings(withheld=kept))


@put(
    "/v1/me/emergency-access/settings",
    actors=("citizen",),
    operation_id="me_set_emergency_settings",
    tags=TAGS,
    problems=(STEP_UP_REFUSED, NOT_IN_YOUR_CARE),
)
async def set_settings(
    data: JSONBody[NewEmergencySettings], call: NamedDependency[Call]
) -> Response[EmergencySettings]:
    """Choose what is left out, from the next request on."""
    async with begin_for(call, "manage-grants") as (tx, access):
        done = await personal.set_withheld(
            tx,
            access,
            data.withheld,
            signed_of(data.signed) if data.signed else None,
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(done if isinstance(done, Refused) else EmergencySettings(withheld=done))


def _view(one: Emergency, now: datetime) -> EmergencyView:
    waiting = one.needs_cosign and one.cosigned_at is None
    return EmergencyView(
        emergency_id=one.emergency_id,
        doctor=one.practitioner_name,
        licence=one.licence or None,
        facility=one.facility_name,
        unit=one.unit_name,
        reason=one.reason,
        opened_at=one.opened_at,
        ends_at=one.ends_at,
        ended_at=one.ended_at,
        live=not waiting and one.ended_at is None and now < one.ends_at,
        waiting=waiting,
        extended=one.extended_at is not None,
        labels=label_names(Label(one.labels)),
        disputed_at=one.disputed_at,
        dispute=one.dispute,
        outcome=one.verdict,
        reviewed_at=one.reviewed_at,
    )


handlers: list[Any] = [list_emergencies, end, dispute, settings, set_settings]
