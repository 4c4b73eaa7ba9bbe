"""The way of a client's wish to a code: pushed, opened in a browser, proven or agreed to, granted.

Nothing here gives a consent: the page's handler in api/ does (consent/apps), in the transaction of `grant`. A
person proves to be there in one of two ways. At the identity provider, on the page itself. Or in the own
app: the page shows eight signs, the app shows who asks for what and signs, and shows six digits that the page
asks for. Without these last digits, somebody who sends the page's picture to a stranger would have the
stranger's yes for a browser of his own.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from identity import budgets
from identity.app_clients.models import AppClient
from identity.identifiers import normal_identifier
from identity.people import own_identifiers
from identity.tokens import digest, new_secret, write_token
from kernel import spoken_codes
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from partners.oauth.problems import OAUTH_INVALID_REQUEST
from partners.smart import queries
from partners.smart.models import AuthorizationRow
from partners.smart.policy import (
    CODE_LIFE,
    DIGITS,
    LIFE,
    PUSHED_LIFE,
    QR_PREFIX,
    REQUEST_URI,
    SIGNS,
    TRIES,
    code_hashes,
    digits_hashes,
    page_code,
    read_token,
)
from partners.smart.problems import (
    APP_REQUEST_UNKNOWN,
    CHOICE_NOT_OFFERED,
    NO_LENGTH_CHOSEN,
    NOTHING_TICKED,
)
from partners.smart.requests import AuthorizationRequest, Wish
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing

_NUMBER: Final = "national-id"


class Choice(Struct, frozen=True):
    """What a person ticked, and for how long. None of it is chosen beforehand."""

    ticked: tuple[str, ...]
    days: int

    def ends_at(self, now: datetime) -> datetime:
        return now + timedelta(days=self.days)


async def push(
    tx: Tx, keys: KeyRing, client: AppClient, asked: AuthorizationRequest, now: datetime
) -> str | Refused:
    """The request_uri of a request that the client sent itself (RFC 9126): good once, for 90 seconds.

    Refused: oauth-invalid-request for a login_hint that is no personal number. Nobody is looked up by it.
    """
    hint = _hint(keys, asked.login_hint)
    if asked.login_hint is not None and hint is None:
        return Refused(problem=OAUTH_INVALID_REQUEST, where="login_hint")
    request_id, secret = uuid7(now), new_secret()
    await _insert(tx, request_id, client, "pushed", asked, (hint, digest(secret), None), now, PUSHED_LIFE)
    return REQUEST_URI + write_token(request_id.bytes, secret)


async def open_pushed(tx: Tx, client_id: UUID, request_uri: str, now: datetime) -> str | None:
    """The cookie of the one browser that opens a pushed request; None: used, over, or another client's."""
    presented = (
        read_token(request_uri.removeprefix(REQUEST_URI)) if request_uri.startswith(REQUEST_URI) else None
    )
    if presented is None:
        return None
    secret = new_secret()
    taken = await queries.TAKE_PUSHED.one(
        tx, presented[0], now, client_id, presented[1], digest(secret), now + LIFE
    )
    return None if taken is None else write_token(taken.bytes, secret)


async def open_new(tx: Tx, client: AppClient, asked: AuthorizationRequest, now: datetime) -> str:
    """The cookie of a browser that brought the request along."""
    request_id, secret = uuid7(now), new_secret()
    await _insert(tx, request_id, client, "open", asked, (None, None, digest(secret)), now, LIFE)
    return write_token(request_id.bytes, secret)


async def in_browser(tx: Tx, cookie: str, now: datetime) -> AuthorizationRow | None:
    """What the page of this browser is about."""
    presented = read_token(cookie)
    return None if presented is None else await queries.IN_BROWSER.one(tx, presented[0], now, presented[1])


async def note_transaction(tx: Tx, row: AuthorizationRow, transaction_id: UUID, now: datetime) -> bool:
    """The browser goes to the identity provider; what it brings back must be of this transaction."""
    return await queries.NOTE_TRANSACTION.one(tx, row.request_id, now, transaction_id) is not None


def is_meant(keys: KeyRing, row: AuthorizationRow, number: str) -> bool:
    """Whether the client means whoever has this number; without a hint it means anybody."""
    return row.hint_hash is None or row.hint_hash in _hashes(keys, number)


async def prove(
    tx: Tx, row: AuthorizationRow, patient_id: UUID, level: int, verification_id: UUID, now: datetime
) -> AuthorizationRow | None:
    """The person came back from the provider and is known here."""
    return await queries.PROVE.one(tx, row.request_id, now, patient_id, level, verification_id)


async def show_code(tx: Tx, keys: KeyRing, row: AuthorizationRow) -> str | None:
    """The eight signs of a page, from now on to be found by an app; None where chance made another's."""
    code = page_code(keys, row.request_id)
    claimed = await queries.CLAIM_CODE.one(tx, code_hashes(keys, code)[0], row.request_id, row.expires_at)
    return None if claimed is None else code


async def _by_code(tx: Tx, keys: KeyRing, code: str, now: datetime) -> UUID | None:
    for hashed in code_hashes(keys, code):
        if (found := await queries.BY_CODE.one(tx, hashed, now)) is not None:
            return found
    return None


async def look_at(
    tx: Tx, keys: KeyRing, actor: Actor, typed: str, now: datetime
) -> AuthorizationRow | Refused:
    """What a page is about, for the person who scanned or typed its signs; from then on nobody else's.

    Refused: app-request-unknown, also where the client means somebody else; too-many.
    """
    refused = await budgets.charge_or_refuse(
        tx, budgets.CONNECT_CODES, budgets.subject(actor.actor_id.bytes), now
    )
    if refused is not None:
        return refused
    code = spoken_codes.typed(typed, SIGNS, QR_PREFIX)
    request_id = None if code is None else await _by_code(tx, keys, code, now)
    found = None
    if request_id is not None:
        found = await queries.WISH_OF_CODE.one(tx, request_id, now, actor.actor_id)
    if found is None or not await _is_meant(tx, keys, found, actor.actor_id):
        return Refused(problem=APP_REQUEST_UNKNOWN, where="code")
    return await queries.LOOK_AT.one(tx, found.request_id, now, actor.actor_id, actor.level) or Refused(
        problem=APP_REQUEST_UNKNOWN, where="code"
    )


async def looked_at(tx: Tx, actor: Actor, request_id: UUID, now: datetime) -> AuthorizationRow | Refused:
    """A request that this person opened in the app and has not answered."""
    row = await queries.BY_ID.one(tx, request_id, now, actor.actor_id)
    if row is None or row.phase != "looked-at":
        return Refused(problem=APP_REQUEST_UNKNOWN)
    return row


def missing(choice: Choice) -> Refused | None:
    """What a form was sent without."""
    if not choice.ticked:
        return Refused(problem=NOTHING_TICKED, where="ticked")
    return Refused(problem=NO_LENGTH_CHOSEN, where="days") if choice.days == 0 else None


def fits(wish: Wish, days: tuple[int, ...], choice: Choice) -> Refused | None:
    """Whether that can be chosen."""
    if not choice.ticked or not set(choice.ticked) <= set(wish.boxes):
        return Refused(problem=CHOICE_NOT_OFFERED, where="ticked")
    if choice.days not in days:
        return Refused(problem=CHOICE_NOT_OFFERED, where="days")
    return None


async def agree(
    tx: Tx,
    keys: KeyRing,
    row: AuthorizationRow,
    choice: Choice,
    *,
    device_id: UUID | None,
    text: bytes,
    signature: str,
    now: datetime,
) -> str | Refused:
    """The person said yes in the app, signed. Returns the digits that the page asks for."""
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    agreed = await queries.AGREE.one(
        tx,
        row.request_id,
        now,
        row.patient_id,
        list(choice.ticked),
        choice.ends_at(now),
        text.decode(),
        signature,
        device_id,
        digits_hashes(keys, row.request_id, digits)[0],
    )
    return Refused(problem=APP_REQUEST_UNKNOWN) if agreed is None else digits


async def digits_are_right(tx: Tx, keys: KeyRing, row: AuthorizationRow, digits: str, now: datetime) -> bool:
    """Charged first: five tries, then the request has ended."""
    tries = await queries.CHARGE_DIGITS.one(tx, row.request_id, now, TRIES)
    if tries is None or row.digits_hash is None:
        return False
    typed = "".join(sign for sign in digits if sign not in " -")
    if row.digits_hash in digits_hashes(keys, row.request_id, typed):
        return True
    if tries >= TRIES:
        await queries.END.one(tx, row.request_id, now)
    return False


async def grant(
    tx: Tx, row: AuthorizationRow, reference: UUID, scope: str, ends_at: datetime, now: datetime
) -> str | None:
    """The code of an answer: once, for a minute. None: somebody answered this request at this moment."""
    secret = new_secret()
    done = await queries.GRANT.one(
        tx, row.request_id, now, digest(secret), now + CODE_LIFE, reference, scope, ends_at
    )
    return None if done is None else write_token(row.request_id.bytes, secret)


async def end(tx: Tx, row: AuthorizationRow, now: datetime) -> bool:
    """The person said no, or this cannot go on."""
    return await queries.END.one(tx, row.request_id, now) is not None


async def _insert(
    tx: Tx,
    request_id: UUID,
    client: AppClient,
    phase: str,
    asked: AuthorizationRequest,
    hashes: tuple[bytes | None, bytes | None, bytes | None],
    now: datetime,
    life: timedelta,
) -> None:
    """hashes: of the hint, of the request_uri, of the cookie."""
    await queries.INSERT.run(
        tx,
        request_id,
        client.client_id,
        phase,
        asked.redirect_uri,
        asked.state,
        asked.scope,
        asked.code_challenge,
        asked.jkt,
        *hashes,
        now,
        now + life,
    )


async def _is_meant(tx: Tx, keys: KeyRing, row: AuthorizationRow, patient_id: UUID) -> bool:
    """The same for a person who is signed in. A number that only the person says is nobody's (S1)."""
    if row.hint_hash is None:
        return True
    numbers = await own_identifiers(tx, keys, patient_id)
    known = (one for one in numbers if one.kind == _NUMBER and one.state != "self-declared")
    return any(one.status == "live" and is_meant(keys, row, one.value) for one in known)


def _hint(keys: KeyRing, number: str | None) -> bytes | None:
    hashes = [] if number is None else _hashes(keys, number)
    return hashes[0] if hashes else None


def _hashes(keys: KeyRing, number: str) -> list[bytes]:
    normal = normal_identifier(_NUMBER, number)
    return [] if normal is None else [hashed for _, hashed in lookup_hashes(keys, _NUMBER, normal)]
