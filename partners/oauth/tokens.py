"""What a client that proved itself asks a token for, and what it gets. One function for each grant type."""

from datetime import datetime
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from identity.app_clients import sessions
from identity.app_clients.models import AppClient, AppTokens
from kernel.problems import Refused
from partners.oauth.problems import OAUTH_INVALID_DPOP_PROOF, OAUTH_INVALID_SCOPE, OAUTH_UNAUTHORIZED_CLIENT
from store.database import Tx
from store.keys import KeyRing

# What a partner's token is for; which consent, each call says itself.
PARTNER_SCOPE: Final = "partner"
Form: TypeAlias = dict[str, str]


class TokenRequest(Struct, frozen=True, kw_only=True):
    """A request whose client is proven. jkt: the key that a DPoP proof showed; the tokens are bound to it."""

    client: AppClient
    form: Form
    jkt: str | None
    now: datetime


class Granted(Struct, frozen=True, kw_only=True):
    """Tokens, and what an answer says beside them. patient: SMART's launch context. consent: of a partner,
    the reference that each of its calls names. sub: what this client calls the person."""

    tokens: AppTokens
    patient: str | None = None
    consent: str | None = None
    sub: str | None = None


class Grant(Protocol):
    """A returned refusal commits: a code that was used twice ends what it had given."""

    async def __call__(self, tx: Tx, keys: KeyRing, asked: TokenRequest, /) -> Granted | Refused: ...


async def client_credentials(tx: Tx, _keys: KeyRing, asked: TokenRequest) -> Granted | Refused:
    """A partner's token of ten minutes, bound to its key. It opens nothing without a person's consent."""
    if asked.client.kind != "partner":
        return Refused(problem=OAUTH_UNAUTHORIZED_CLIENT)
    if asked.form.get("scope", PARTNER_SCOPE) != PARTNER_SCOPE:
        return Refused(problem=OAUTH_INVALID_SCOPE, where="scope")
    if asked.jkt is None:
        return Refused(problem=OAUTH_INVALID_DPOP_PROOF, where="DPoP")
    tokens = await sessions.open_session(
        tx,
        asked.client.client_id,
        scope=PARTNER_SCOPE,
        jkt=asked.jkt,
        reference=None,
        with_refresh=False,
        now=asked.now,
    )
    return Granted(tokens=tokens)
