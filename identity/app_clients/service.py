"""The register of clients: entered, changed and ended with the word of two operators (security.md S26)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from identity.app_clients import queries, sessions
from identity.app_clients.models import AppClient, ChangedAppClient, EndedAppClient, NewAppClient, jwks_text
from identity.app_clients.policy import wrong_field
from identity.app_clients.problems import CLIENT_ENTRY_INVALID
from identity.problems import NOT_IN_REGISTER
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

PAGE: Final = 200
# Another one of these is another client, and needs people's consent of its own.
_FIXED: Final = ("kind", "auth", "name", "holder")


def judge(new: NewAppClient) -> Refused | None:
    """Refused: client-entry-invalid with the field."""
    field = wrong_field(new)
    return None if field is None else Refused(problem=CLIENT_ENTRY_INVALID, where=field)


async def enter(tx: Tx, new: NewAppClient, now: datetime) -> UUID | Refused:
    """Enter a client. Called by a change that two operators agreed on, and by the demo."""
    wrong = judge(new)
    if wrong is not None:
        return wrong
    client_id = uuid7(now)
    await queries.INSERT_CLIENT.run(
        tx,
        client_id,
        new.kind,
        new.name,
        new.holder,
        new.auth,
        jwks_text(new),
        new.jwks_uri,
        new.redirect_uris,
        new.scopes_max,
        new.groups_max,
        new.quota_per_day,
        new.quota_per_minute,
        new.webhook_uri,
        now,
        now,
    )
    return client_id


async def change(tx: Tx, changed: ChangedAppClient, now: datetime) -> Refused | None:
    """Everything of a client anew but who it is: its kind, its proof of itself, and the name and holder that
    people agreed to. Tokens and consents stand, and open no more than the new entry allows.

    Refused: not-in-register; client-entry-invalid.
    """
    before, new = await client_of(tx, changed.client_id), changed.client
    if before is None or before.ended_at is not None:
        return Refused(problem=NOT_IN_REGISTER, where="client_id")
    other = next((field for field in _FIXED if getattr(before, field) != getattr(new, field)), None)
    if other is not None:
        return Refused(problem=CLIENT_ENTRY_INVALID, where=other)
    wrong = judge(new)
    if wrong is not None:
        return wrong
    await queries.CHANGE_CLIENT.one(
        tx,
        changed.client_id,
        jwks_text(new),
        new.jwks_uri,
        new.redirect_uris,
        new.scopes_max,
        new.groups_max,
        new.quota_per_day,
        new.quota_per_minute,
        new.webhook_uri,
        now,
    )
    return None


async def end(tx: Tx, ended: EndedAppClient, now: datetime) -> Refused | None:
    """Let a client in no more. Consents given to it open nothing from the next request on."""
    if await queries.END_CLIENT.one(tx, ended.client_id, now) is None:
        return Refused(problem=NOT_IN_REGISTER, where="client_id")
    await sessions.end_of_client(tx, ended.client_id, "client-ended", now)
    await emit(tx, ended.client_id, "identity.app-client-ended", {"client_id": str(ended.client_id)}, now)
    return None


async def end_again(tx: Tx, client_id: UUID, at: datetime) -> None:
    """An end that a restored backup undid."""
    await queries.END_CLIENT.one(tx, client_id, at)


async def client_of(tx: Tx, client_id: UUID) -> AppClient | None:
    """A client as entered, also one that was ended."""
    return await queries.CLIENT.one(tx, client_id)


async def live_client(tx: Tx, client_id: UUID) -> AppClient | None:
    """A client that is let in now."""
    client = await client_of(tx, client_id)
    return None if client is None or client.ended_at is not None else client


async def page_of(tx: Tx, after: UUID) -> list[AppClient]:
    """Clients of the register in order, ended ones too, for operators."""
    return await queries.CLIENTS.all(tx, after, PAGE)
