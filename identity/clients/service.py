"""A machine's secret is replaced and a machine is ended at once: the next request is refused either way."""

import secrets
from datetime import datetime
from uuid import UUID

from identity import sessions
from identity.clients import queries
from identity.register.facilities import ClientSecret
from identity.tokens import digest, to_base64url
from store.database import Tx
from store.outbox import emit


async def renew(tx: Tx, facility_id: UUID, client_id: UUID, now: datetime) -> ClientSecret | None:
    """Another secret for a machine of this facility; the older one and every session of it end.

    None: no such machine, or it was ended.
    """
    secret = secrets.token_bytes(32)
    if await queries.RENEW.one(tx, facility_id, client_id, digest(secret)) is None:
        return None
    await sessions.end_all(tx, client_id, "secret-renewed", now)
    await emit(tx, client_id, "identity.client-renewed", {"client_id": str(client_id)}, now)
    return ClientSecret(client_id=client_id, client_secret=to_base64url(secret))


async def end(tx: Tx, facility_id: UUID, client_id: UUID, now: datetime) -> bool:
    """End a machine of this facility for good. False: no such machine, or it was ended before."""
    if await queries.END.one(tx, facility_id, client_id, now) is None:
        return False
    await sessions.end_all(tx, client_id, "client-ended", now)
    await emit(tx, client_id, "identity.client-ended", {"client_id": str(client_id)}, now)
    return True


async def end_again(tx: Tx, client_id: UUID, at: datetime) -> None:
    """An end that a restored backup undid."""
    await queries.END_AGAIN.run(tx, client_id, at)


async def forget_secret(tx: Tx, client_id: UUID) -> None:
    """A secret was replaced and a restored backup brought the older one back: nobody has one that opens, and
    the facility makes another."""
    await queries.SET_SECRET.run(tx, client_id, digest(secrets.token_bytes(32)))
