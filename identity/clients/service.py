"""A machine's secret is replaced and a machine is ended at once: the next request is refused either way."""

import secrets
from datetime import datetime
from uuid import UUID

from identity import sessions
from identity.clients import queries
from identity.register.facilities import ClientSecret
from identity.tokens import digest, to_base64url
from store.database import Tx


async def renew(tx: Tx, facility_id: UUID, client_id: UUID, now: datetime) -> ClientSecret | None:
    """Another secret for a machine of this facility; the older one and every session of it end.

    None: no such machine, or it was ended.
    """
    secret = secrets.token_bytes(32)
    if await queries.RENEW.one(tx, facility_id, client_id, digest(secret)) is None:
        return None
    await sessions.end_all(tx, client_id, "secret-renewed", now)
    return ClientSecret(client_id=client_id, client_secret=to_base64url(secret))


async def end(tx: Tx, facility_id: UUID, client_id: UUID, now: datetime) -> bool:
    """End a machine of this facility for good. False: no such machine, or it was ended before."""
    if await queries.END.one(tx, facility_id, client_id, now) is None:
        return False
    await sessions.end_all(tx, client_id, "client-ended", now)
    return True
