"""Tokens of clients: opaque, ten minutes, bound to a key where the client proved one (RFC 9449).

A client's token is one octet longer than a person's, so that neither is ever looked up as the other. Secrets
rest as SHA-256. A refresh token is good once: a second use ends the family, and with it every token of it.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from identity.app_clients import queries
from identity.app_clients.models import AppTokens, LiveApp, RefreshRow
from identity.tokens import SECRET_BYTES, digest, from_base64url, new_secret, write_token
from kernel.ids import uuid7
from store.database import Tx

ACCESS_LIFE: Final = timedelta(minutes=10)
REFRESH_LIFE: Final = timedelta(days=90)
# Stands before the client's id in each token.
_MARK: Final = b"\x01"


async def open_session(
    tx: Tx,
    client_id: UUID,
    *,
    scope: str,
    jkt: str | None,
    reference: UUID | None,
    with_refresh: bool,
    until: datetime | None = None,
    now: datetime,
) -> AppTokens:
    """A token, and a refresh token where the client may have one; `until` bounds the family (the consent's
    end)."""
    session_id, access = uuid7(now), new_secret()
    refresh = new_secret() if with_refresh else None
    longest = now + (REFRESH_LIFE if with_refresh else ACCESS_LIFE)
    ends = longest if until is None else min(longest, until)
    await queries.INSERT_SESSION.run(
        tx,
        client_id,
        session_id,
        digest(access),
        now + ACCESS_LIFE,
        jkt,
        reference,
        scope,
        None if refresh is None else digest(refresh),
        now,
        ends,
    )
    return _tokens(client_id, session_id, access, refresh, scope, jkt, ends - now)


async def live(tx: Tx, token: str, now: datetime) -> LiveApp | None:
    """Whose token this is; None unless token and client stand now."""
    presented = read_app_token(token)
    return None if presented is None else await queries.LIVE.one(tx, *presented, now)


async def family_of(tx: Tx, client_id: UUID, refresh_token: str, now: datetime) -> RefreshRow | None:
    """The family of a client's refresh token that can be rotated now.

    A token of this family that was used before ends it: somebody else has a copy (RFC 9700 section 4.14).
    """
    presented = _read_refresh(refresh_token)
    if presented is None or presented[0] != client_id:
        return None
    row = await queries.FAMILY.one(tx, client_id, presented[1])
    if row is None or row.ended_at is not None or row.expires_at <= now:
        return None
    if row.refresh_hash is None or row.refresh_hash != digest(presented[2]):
        await queries.END_SESSION.one(tx, client_id, row.session_id, now, "refresh-reuse")
        return None
    return row


async def rotate(tx: Tx, row: RefreshRow, *, scope: str, now: datetime) -> AppTokens | None:
    """The next tokens of a family. None: somebody rotated it at this moment; the family is ended then."""
    access, refresh = new_secret(), new_secret()
    rotated = await queries.ROTATE.one(
        tx,
        row.client_id,
        row.session_id,
        row.refresh_hash,
        digest(access),
        now + ACCESS_LIFE,
        digest(refresh),
        scope,
    )
    if rotated is None:
        await queries.END_SESSION.one(tx, row.client_id, row.session_id, now, "refresh-reuse")
        return None
    left = row.expires_at - now
    return _tokens(row.client_id, row.session_id, access, refresh, scope, row.jkt, left)


async def revoke(tx: Tx, client_id: UUID, token: str, now: datetime) -> None:
    """End the family of a token of this client, whichever of its two it is (RFC 7009); others' do nothing."""
    access = read_app_token(token)
    if access is not None and access[0] == client_id:
        await queries.END_BY_ACCESS.one(tx, client_id, access[1], now, "revoked")
        return
    refresh = _read_refresh(token)
    if refresh is None or refresh[0] != client_id:
        return
    row = await queries.FAMILY.one(tx, client_id, refresh[1])
    if row is not None and row.refresh_hash == digest(refresh[2]):
        await queries.END_SESSION.one(tx, client_id, refresh[1], now, "revoked")


async def end_session(tx: Tx, client_id: UUID, session_id: UUID, reason: str, now: datetime) -> None:
    """End one family: a code was used twice."""
    await queries.END_SESSION.one(tx, client_id, session_id, now, reason)


async def end_of_consent(tx: Tx, client_id: UUID, reference: UUID, reason: str, now: datetime) -> None:
    """Every token that is bound to one consent."""
    await queries.END_OF_CONSENT.run(tx, client_id, reference, now, reason)


async def end_of_client(tx: Tx, client_id: UUID, reason: str, now: datetime) -> None:
    await queries.END_OF_CLIENT.run(tx, client_id, now, reason)


def read_app_token(token: str) -> tuple[UUID, bytes] | None:
    """(client id, SHA-256 of the secret), or None when the text is no client's token."""
    raw = from_base64url(token)
    if raw is None or len(raw) != 17 + SECRET_BYTES or raw[:1] != _MARK:
        return None
    return UUID(bytes=raw[1:17]), digest(raw[17:])


def _read_refresh(token: str) -> tuple[UUID, UUID, bytes] | None:
    raw = from_base64url(token)
    if raw is None or len(raw) != 33 + SECRET_BYTES or raw[:1] != _MARK:
        return None
    return UUID(bytes=raw[1:17]), UUID(bytes=raw[17:33]), raw[33:]


def _tokens(
    client_id: UUID,
    session_id: UUID,
    access: bytes,
    refresh: bytes | None,
    scope: str,
    jkt: str | None,
    left: timedelta,
) -> AppTokens:
    """left: of the family, which may end before its token would."""
    return AppTokens(
        access_token=write_token(_MARK, client_id.bytes, access),
        token_type="Bearer" if jkt is None else "DPoP",
        expires_in_seconds=int(min(ACCESS_LIFE, left).total_seconds()),
        scope=scope,
        session_id=session_id,
        refresh_token=None
        if refresh is None
        else write_token(_MARK, client_id.bytes, session_id.bytes, refresh),
    )
