"""The person's apps and partners in one list, each with its end."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.request import Call, answer
from consent.apps import service
from consent.apps.models import AppConsentState, AppEndReason, ListedConsent
from consent.apps.problems import UNKNOWN_CONNECTED_APP
from family.problems import GUARDIAN_NEEDED
from identity.app_clients.models import ClientKind
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED
from kernel.access import PartnerGroup, RecordType
from kernel.problems import Refused

TAGS = ["connected-apps"]


class ConnectedApp(Struct, kw_only=True):
    """One consent to an app or a partner. holder: who runs it. groups: of a partner, what of QĐ 31's data set
    was ticked. types: kinds of entries that may be read; what is marked sensitive or hidden never is. scope:
    of an app, in the words of SMART. last_used_at: to the minute.

    state: live; held (a restore or a merge of books holds it until it is confirmed); expired by itself; ended
    by the person, or by a newer consent to the same app (end_reason superseded).
    """

    consent_id: UUID
    client_id: UUID
    kind: ClientKind
    name: str
    holder: str
    groups: list[PartnerGroup]
    types: list[RecordType]
    scope: str
    created_at: datetime
    ends_at: datetime
    last_used_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    end_reason: AppEndReason | None
    state: AppConsentState


class ConnectedApps(Struct, kw_only=True):
    """The newest first; at most two hundred."""

    items: list[ConnectedApp]


class AppConfirmation(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs JCS of: typ app-consent-confirm, environment, patient_id, device_id, nonce, iat, exp,
    consent_id, client (client_id), name, groups, types (both sorted), scope, ends (epoch seconds)."""

    signed: SignedAct


@get("/v1/me/connected-apps", actors=("citizen",), operation_id="me_connected_apps", any_app=True, tags=TAGS)
async def list_apps(call: NamedDependency[Call]) -> Response[ConnectedApps]:
    """Every app and partner that the person let in, also what ended."""
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await service.list_of(tx, access.patient_id, ended=True)
    return answer(ConnectedApps(items=[_view(one, call.now) for one in found]))


@delete(
    "/v1/me/connected-apps/{consent_id:uuid}",
    actors=("citizen",),
    operation_id="me_end_connected_app",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_CONNECTED_APP,),
)
async def end(consent_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End the connection of one app or partner; its next request is refused."""
    async with begin_for(call, "manage-grants") as (tx, access):
        refused = await service.end(tx, access, consent_id, trace_id=call.request_id, now=call.now)
    return answer(refused)


@delete(
    "/v1/me/connected-apps",
    actors=("citizen",),
    operation_id="me_end_connected_apps",
    any_app=True,
    tags=TAGS,
    status_code=204,
)
async def end_all(call: NamedDependency[Call]) -> Response[None]:
    """End the connection of every app and partner."""
    async with begin_for(call, "manage-grants") as (tx, access):
        await service.end_all(tx, access, trace_id=call.request_id, now=call.now)
    return answer(None)


@post(
    "/v1/me/connected-apps/{consent_id:uuid}/confirm",
    actors=("citizen",),
    operation_id="me_confirm_connected_app",
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_CONNECTED_APP, STEP_UP_REFUSED, GUARDIAN_NEEDED, DEVICE_ON_PROBATION),
)
async def confirm(
    consent_id: FromPath[UUID], data: JSONBody[AppConfirmation], call: NamedDependency[Call]
) -> Response[ConnectedApp]:
    """Let a held connection stand."""
    async with begin_for(call, "confirm-grants") as (tx, access):
        outcome = await service.confirm(
            tx,
            access,
            consent_id,
            signed_of(data.signed),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(outcome if isinstance(outcome, Refused) else _view(ListedConsent(outcome, False), call.now))


def _view(one: ListedConsent, now: datetime) -> ConnectedApp:
    given = one.consent
    return ConnectedApp(
        consent_id=given.consent_id,
        client_id=given.client_id,
        kind=given.kind,
        name=given.client_name,
        holder=given.holder,
        groups=given.groups,
        types=given.types,
        scope=given.scope,
        created_at=given.created_at,
        ends_at=given.ends_at,
        last_used_at=given.last_used_at,
        confirmed_at=given.confirmed_at,
        ended_at=given.ended_at,
        end_reason=given.end_reason,
        state=one.state(now),
    )


handlers: list[Any] = [list_apps, end, end_all, confirm]
