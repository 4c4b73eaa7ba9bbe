"""The register of OAuth clients: two operators enter, change and end one (security.md S26)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api.admin.registry import ProposedChange, Reason, propose_change
from api.idempotency import PROBLEMS
from api.reading import Cursor
from api.request import Call, answer
from identity.app_clients import service
from identity.app_clients.models import (
    AppClient,
    ChangedAppClient,
    ClientAuth,
    ClientKind,
    EndedAppClient,
    NewAppClient,
)
from identity.app_clients.problems import CLIENT_ENTRY_INVALID
from identity.problems import NOT_YOURS_TO_CHANGE
from kernel.access import PartnerGroup
from kernel.paging import BAD_CURSOR, decode_cursor, encode_cursor

TAGS = ["app-clients"]
_FIRST = UUID(int=0)


class AppClientBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    client: NewAppClient


class ChangedAppClientBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    client: ChangedAppClient


class EndedAppClientBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    client: EndedAppClient


class AppClientView(Struct, kw_only=True):
    """One client as entered. keys: its public keys or where they are; none of a public client."""

    client_id: UUID
    kind: ClientKind
    name: str
    holder: str
    auth: ClientAuth
    keys: str | None
    redirect_uris: list[str]
    scopes_max: list[str]
    groups_max: list[PartnerGroup]
    quota_per_day: int
    quota_per_minute: int
    webhook_uri: str | None
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None


class AppClients(Struct, kw_only=True):
    """A page of the register in the order of entry; next opens the one after."""

    items: list[AppClientView]
    next: str | None


@get(
    "/v1/admin/app-clients",
    actors=("operator",),
    operation_id="list_app_clients",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_clients(call: NamedDependency[Call], cursor: Cursor = None) -> Response[AppClients]:
    """Every client of the register, ended ones too."""
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else _FIRST
    async with call.begin() as (tx, _):
        found = await service.page_of(tx, after)
    more = encode_cursor(str(found[-1].client_id)) if len(found) == service.PAGE else None
    return answer(AppClients(items=[_view(one) for one in found], next=more))


@post(
    "/v1/admin/app-clients",
    status_code=202,
    actors=("operator",),
    operation_id="propose_app_client",
    tags=TAGS,
    idempotent=True,
    problems=(CLIENT_ENTRY_INVALID, NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_client(
    data: JSONBody[AppClientBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose a client; its id comes with the confirmation."""
    return await propose_change(call, "app-client", data.client, data.reason)


@post(
    "/v1/admin/app-clients/change",
    status_code=202,
    actors=("operator",),
    operation_id="propose_app_client_change",
    tags=TAGS,
    idempotent=True,
    problems=(CLIENT_ENTRY_INVALID, NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_client_change(
    data: JSONBody[ChangedAppClientBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose everything of a client anew: keys, addresses, scopes, quotas."""
    return await propose_change(call, "app-client-change", data.client, data.reason)


@post(
    "/v1/admin/app-clients/end",
    status_code=202,
    actors=("operator",),
    operation_id="propose_app_client_end",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_client_end(
    data: JSONBody[EndedAppClientBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose to let a client in no more; its tokens are dead with the confirmation."""
    return await propose_change(call, "app-client-end", data.client, data.reason)


def _view(one: AppClient) -> AppClientView:
    return AppClientView(
        client_id=one.client_id,
        kind=one.kind,
        name=one.name,
        holder=one.holder,
        auth=one.auth,
        keys=one.jwks or one.jwks_uri,
        redirect_uris=one.redirect_uris,
        scopes_max=one.scopes_max,
        groups_max=one.groups_max,
        quota_per_day=one.quota_per_day,
        quota_per_minute=one.quota_per_minute,
        webhook_uri=one.webhook_uri,
        created_at=one.created_at,
        changed_at=one.changed_at,
        ended_at=one.ended_at,
    )


handlers: list[Any] = [list_clients, propose_client, propose_client_change, propose_client_end]
