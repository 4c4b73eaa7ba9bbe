"""A code and a refresh token become tokens (RFC 6749 §4.1.3, §6; RFC 7636; RFC 9700 §4.14)."""

from datetime import datetime
from uuid import UUID

from identity.app_clients import sessions
from identity.app_clients.models import AppClient, AppTokens, RefreshRow
from kernel.problems import Refused
from partners.oauth.problems import OAUTH_INVALID_GRANT, OAUTH_INVALID_SCOPE
from partners.smart import queries
from partners.smart.models import CodeRow, Redeemed
from partners.smart.pkce import answers
from partners.smart.policy import read_token
from partners.smart.requests import wish_of
from store.database import Tx

_NO = Refused(problem=OAUTH_INVALID_GRANT)


async def redeem_code(
    tx: Tx,
    client: AppClient,
    *,
    code: str,
    redirect_uri: str,
    verifier: str,
    jkt: str | None,
    now: datetime,
) -> Redeemed | Refused:
    """Tokens for a code: once, within a minute, for the client, the address and the verifier it was made for.

    Whatever is wrong, the code is used up by it. A second use ends the tokens of the first. jkt: of the DPoP
    proof of this request; the tokens are bound to it. Refused: oauth-invalid-grant, one for all.
    """
    presented = read_token(code)
    if presented is None:
        return _NO
    row = await queries.REDEEM.one(tx, presented[0], now, presented[1])
    if row is None:
        await _end_first(tx, *presented, now)
        return _NO
    if not _fits(row, client, redirect_uri, verifier, jkt):
        return _NO
    assert row.patient_id is not None
    assert row.reference is not None
    assert row.granted is not None
    assert row.ends_at is not None
    wish = wish_of(client, row.scope)
    tokens = await sessions.open_session(
        tx,
        client.client_id,
        scope=row.granted,
        jkt=jkt,
        # A partner's token names a consent in each call; an app's is for this one alone.
        reference=None if client.kind == "partner" else row.reference,
        with_refresh=client.kind == "app" and wish is not None and wish.offline,
        until=row.ends_at,
        now=now,
    )
    await queries.NOTE_SESSION.run(tx, presented[0], tokens.session_id)
    return Redeemed(
        tokens=tokens,
        patient_id=row.patient_id,
        reference=row.reference,
        ends_at=row.ends_at,
        launch=client.kind == "app",
    )


async def refresh(
    tx: Tx, row: RefreshRow, *, scope: str | None, jkt: str | None, now: datetime
) -> AppTokens | Refused:
    """The next tokens of a family whose refresh token was presented and whose consent stands.

    scope: narrower than before, and it stays so. Refused: oauth-invalid-grant, oauth-invalid-scope.
    """
    if row.jkt != jkt:
        return _NO
    words = row.scope.split()
    if scope is not None and not (scope.split() and set(scope.split()) <= set(words)):
        return Refused(problem=OAUTH_INVALID_SCOPE, where="scope")
    kept = row.scope if scope is None else " ".join(word for word in words if word in set(scope.split()))
    return await sessions.rotate(tx, row, scope=kept, now=now) or _NO


def _fits(row: CodeRow, client: AppClient, redirect_uri: str, verifier: str, jkt: str | None) -> bool:
    return (
        row.client_id == client.client_id
        and row.redirect_uri == redirect_uri
        and answers(row.code_challenge, verifier)
        and row.jkt in (None, jkt)
    )


async def _end_first(tx: Tx, request_id: UUID, code_hash: bytes, now: datetime) -> None:
    """Somebody else has the code too: what was handed out for it is over."""
    spent = await queries.SPENT.one(tx, request_id, code_hash)
    if spent is not None and spent.session_id is not None:
        await sessions.end_session(tx, spent.client_id, spent.session_id, "code-reuse", now)
