"""What the page of a client's wish and the person's own app share: who asks for what, and giving it.

The consent, the code of the answer and the row in the person's log are one transaction.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from api.request import Call
from consent.apps.models import AppConsent
from consent.apps.policy import pairwise_subject
from consent.apps.service import ended_all_since, give, stands
from consent.decision import decide_connection
from identity.app_clients.models import AppClient
from identity.app_clients.service import live_client
from identity.app_clients.sessions import family_of
from identity.devices import has_device
from kernel.access import Access
from kernel.problems import Refused, refuse
from partners.oauth.problems import OAUTH_INVALID_DPOP_PROOF, OAUTH_INVALID_GRANT, OAUTH_INVALID_REQUEST
from partners.oauth.tokens import PARTNER_SCOPE, Granted, TokenRequest
from partners.smart import authorizing
from partners.smart.authorizing import Choice
from partners.smart.models import AuthorizationRow
from partners.smart.policy import days_offered
from partners.smart.problems import CONNECT_NOT_POSSIBLE, CONNECT_PAGE_ENDED
from partners.smart.redeeming import redeem_code, refresh
from partners.smart.requests import Wish, answer_address, groups_of, items_of, wish_of
from partners.smart.scopes import granted_scopes, record_types
from store.database import Tx
from store.keys import KeyRing

FHIR_PATH: Final = "/fhir"
CONNECT_TYP: Final = "connect-app"
_ENDED: Final = Refused(problem=CONNECT_PAGE_ENDED)


class Asking(Struct, frozen=True):
    """A wish with whose it is, both as they stand now. short: whoever proved to be there may say yes for a
    day at most, and for longer in the own app."""

    row: AuthorizationRow
    client: AppClient
    wish: Wish
    short: bool

    @property
    def days(self) -> tuple[int, ...]:
        """Among which lengths of time the person chooses."""
        return days_offered(self.wish, short=self.short)


async def asking_of(tx: Tx, row: AuthorizationRow) -> Asking | Refused:
    """Refused where the client was ended, or may not ask for this any more."""
    client = await live_client(tx, row.client_id)
    wish = None if client is None else wish_of(client, row.scope)
    if client is None or wish is None:
        return _ENDED
    short = row.phase == "proven" and row.patient_id is not None and await has_device(tx, row.patient_id)
    return Asking(row, client, wish, short)


def connect_facts(asking: Asking, choice: Choice) -> dict[str, Any]:
    """What the device signs, beside the common members: who gets what, for how long, on which page."""
    return {
        "request_id": str(asking.row.request_id),
        "client": str(asking.client.client_id),
        "name": asking.client.name,
        "holder": asking.client.holder,
        "ticked": sorted(choice.ticked),
        "days": choice.days,
    }


async def give_proven(tx: Tx, call: Call, asking: Asking, choice: Choice) -> str | Refused:
    """Where the browser goes with a code, after the person proved who it is at the provider and ticked."""
    refused = authorizing.fits(asking.wish, asking.days, choice)
    if refused is not None:
        return refused
    return await _give(tx, call, asking, choice.ticked, choice.ends_at(call.now))


async def give_agreed(tx: Tx, call: Call, asking: Asking) -> str | Refused:
    """The same after the person agreed in the own app and typed its digits on the page. The device that
    agreed is looked at once more: one that its owner ended meanwhile gives nothing (security.md S8)."""
    row = asking.row
    assert row.ticked is not None
    assert row.ends_at is not None
    return await _give(tx, call, asking, tuple(row.ticked), row.ends_at)


def denied(call: Call, row: AuthorizationRow) -> str:
    """Where the browser goes without one."""
    return answer_address(row.redirect_uri, call.origin, row.state, {"error": "access_denied"})


async def may_connect(
    tx: Tx, call: Call, patient_id: UUID, level: int, *, device_id: UUID | None = None
) -> Access | Refused:
    """Whether somebody who proved to be this person may let clients in; one no for all reasons."""
    decided = await decide_connection(tx, call.keys, patient_id, level, call.now, device_id=device_id)
    return Refused(problem=CONNECT_NOT_POSSIBLE) if isinstance(decided, Refused) else decided


async def _give(
    tx: Tx, call: Call, asking: Asking, ticked: tuple[str, ...], ends_at: datetime
) -> str | Refused:
    row = asking.row
    if row.patient_id is None or not set(ticked) <= set(asking.wish.boxes):
        return _ENDED
    if await ended_all_since(tx, row.patient_id, row.created_at):
        return _ENDED
    access = await may_connect(tx, call, row.patient_id, row.level, device_id=row.device_id)
    given = (
        access if isinstance(access, Refused) else await _consent(tx, call, access, asking, ticked, ends_at)
    )
    if isinstance(given, Refused):
        return given
    scope = given.scope or PARTNER_SCOPE
    code = await authorizing.grant(tx, row, given.reference, scope, given.ends_at, call.now)
    if code is None:
        # Answered in another tab at this moment: what was just given is taken back with the transaction.
        refuse(CONNECT_PAGE_ENDED)
    return answer_address(row.redirect_uri, call.origin, row.state, {"code": code})


async def _consent(
    tx: Tx, call: Call, access: Access, asking: Asking, ticked: tuple[str, ...], ends_at: datetime
) -> AppConsent | Refused:
    row, smart = asking.row, asking.wish.smart
    items = items_of(ticked) if smart is not None else frozenset()
    return await give(
        tx,
        call.keys,
        access,
        asking.client,
        groups=frozenset(groups_of(ticked)),
        types=record_types(items),
        scope="" if smart is None else " ".join(granted_scopes(smart, items)),
        ends_at=ends_at,
        verification_id=row.verification_id,
        choice=None if row.choice is None else row.choice.encode(),
        signature=row.signature,
        trace_id=call.request_id,
        now=call.now,
    )


async def code_grant(tx: Tx, keys: KeyRing, asked: TokenRequest) -> Granted | Refused:
    """`authorization_code` of the token endpoint."""
    client, form = asked.client, asked.form
    missing = next((name for name in ("code", "redirect_uri", "code_verifier") if name not in form), None)
    if missing is not None:
        return Refused(problem=OAUTH_INVALID_REQUEST, where=missing)
    if client.kind == "partner" and asked.jkt is None:
        return Refused(problem=OAUTH_INVALID_DPOP_PROOF, where="DPoP")
    done = await redeem_code(
        tx,
        client,
        code=form["code"],
        redirect_uri=form["redirect_uri"],
        verifier=form["code_verifier"],
        jkt=asked.jkt,
        now=asked.now,
    )
    if isinstance(done, Refused):
        return done
    subject = pairwise_subject(keys, client.client_id, done.patient_id)
    return Granted(
        tokens=done.tokens,
        patient=subject if client.kind == "app" else None,
        consent=str(done.reference) if client.kind == "partner" else None,
        sub=subject,
    )


async def refresh_grant(tx: Tx, _keys: KeyRing, asked: TokenRequest) -> Granted | Refused:
    """`refresh_token` of the token endpoint."""
    token = asked.form.get("refresh_token")
    if token is None:
        return Refused(problem=OAUTH_INVALID_REQUEST, where="refresh_token")
    family = await family_of(tx, asked.client.client_id, token, asked.now)
    if family is None or family.reference is None:
        return Refused(problem=OAUTH_INVALID_GRANT)
    # One that is held stays unused: it is good again once the person confirms the consent.
    if not await stands(tx, asked.client.client_id, family.reference, asked.now):
        return Refused(problem=OAUTH_INVALID_GRANT)
    tokens = await refresh(tx, family, scope=asked.form.get("scope"), jkt=asked.jkt, now=asked.now)
    return tokens if isinstance(tokens, Refused) else Granted(tokens=tokens)
