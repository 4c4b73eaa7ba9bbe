"""Staff, operators and machines sign in. Random user names cost what real ones cost (S16, S33).

charge_account   charges one of five tries, reads the credential     (transaction)
password_holds   Argon2id in its own threads                         (no transaction)
finish_*         uses the TOTP step up, opens the session            (transaction)
A password that rests under an older pepper is moved afterwards (identity/resting.py).
"""

import hashlib
import hmac
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from identity import budgets, practitioners, sessions
from identity.entry import queries as entry
from identity.models import CredentialRow, PractitionerCard
from identity.passwords import secret_holds
from identity.problems import SIGN_IN_REFUSED, TOTP_REFUSED
from identity.register import queries as register
from identity.resting import Resting
from identity.sessions import Tokens
from identity.tokens import digest, from_base64url
from identity.units import service as units
from kernel.access import Actor
from kernel.ids import uuid8
from kernel.problems import Refused
from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing

AccountKind = Literal["practitioner", "operator"]


class PendingPassword(Struct, frozen=True, kw_only=True):
    """A charged try. `credential` is None for an account that does not exist."""

    kind: AccountKind
    id_hash: bytes
    actor_id: UUID
    credential: CredentialRow | None

    @property
    def rests(self) -> Resting:
        stored = self.credential.password_hash if self.credential else None
        return Resting(entry.MOVE_PASSWORD, self.actor_id, stored)


class StaffSignedIn(Struct, frozen=True, kw_only=True):
    """role: the one this session acts in; roles: all that could be chosen with practitioner_role_id."""

    tokens: Tokens
    role: PractitionerCard
    roles: list[PractitionerCard]


async def charge_account(
    tx: Tx, keys: KeyRing, kind: AccountKind, user_name: str, network: str, now: datetime
) -> PendingPassword | Refused:
    """Charge account and network before anything is compared, also for names that nobody has.

    The caller keeps a place in the hashing pool meanwhile (identity/passwords.py): who would find none costs
    no statement and no try.
    """
    folded = user_name.strip().casefold()
    _, pepper = keys.secret("pepper")
    id_hash = hmac.digest(pepper, f"{kind}\0{folded}".encode(), hashlib.sha256)
    for budget, counted in (
        (budgets.SIGN_INS_NETWORK, budgets.subject(f"{kind}\0{network}")),
        (budgets.WRONG_PASSWORD, id_hash),
    ):
        refused = await budgets.charge_or_refuse(tx, budget, counted, now)
        if refused is not None:
            return refused
    actor_id = await _account(tx, kind, folded) or uuid8(id_hash)
    credential = await entry.CREDENTIAL_OF_ACTOR.one(tx, actor_id)
    usable = credential is not None and credential.usable_from <= now
    return PendingPassword(
        kind=kind, id_hash=id_hash, actor_id=actor_id, credential=credential if usable else None
    )


async def password_holds(keys: KeyRing, pending: PendingPassword, password: str) -> bool:
    """No transaction may be open."""
    return await secret_holds(keys, pending.actor_id, pending.rests.stored, password)


async def finish_practitioner(
    tx: Tx,
    keys: KeyRing,
    pending: PendingPassword,
    password_held: bool,
    totp: str,
    practitioner_role_id: UUID | None,
    now: datetime,
) -> StaffSignedIn | Refused:
    """Open a session in the chosen role; without a choice in the oldest one in force."""
    if not await _factors_hold(tx, keys, pending, password_held, totp, now):
        return Refused(problem=SIGN_IN_REFUSED)
    roles = await practitioners.active_roles(tx, pending.actor_id, now)
    chosen = [r for r in roles if practitioner_role_id in (None, r.practitioner_role_id)]
    if not chosen:
        return Refused(problem=SIGN_IN_REFUSED)
    tokens = await sessions.open_staff_session(
        tx, pending.actor_id, "practitioner", chosen[0].practitioner_role_id, now
    )
    return StaffSignedIn(tokens=tokens, role=chosen[0], roles=roles)


async def finish_operator(
    tx: Tx, keys: KeyRing, pending: PendingPassword, password_held: bool, totp: str, now: datetime
) -> Tokens | Refused:
    if not await _factors_hold(tx, keys, pending, password_held, totp, now):
        return Refused(problem=SIGN_IN_REFUSED)
    return await sessions.open_staff_session(tx, pending.actor_id, "operator", None, now)


async def show_totp(tx: Tx, keys: KeyRing, actor: Actor, totp: str, now: datetime) -> Refused | None:
    """The signed-in person shows the one-time password again: five tries in 15 minutes, each step once (S16).

    Refused: too-many, one-time-password-refused.
    """
    id_hash = budgets.subject(actor.actor_id.bytes)
    refused = await budgets.charge_or_refuse(tx, budgets.WRONG_TOTP, id_hash, now)
    if refused is not None:
        return refused
    credential = await entry.CREDENTIAL_OF_ACTOR.one(tx, actor.actor_id)
    if credential is None or not await _step_holds(tx, keys, credential, totp, now):
        return Refused(problem=TOTP_REFUSED)
    await budgets.refund(tx, budgets.WRONG_TOTP, id_hash)
    return None


async def re_authenticate(tx: Tx, keys: KeyRing, actor: Actor, totp: str, now: datetime) -> Refused | None:
    """Prove anew who sits at this session (ASVS 7.5.3). Refused: as `show_totp`."""
    refused = await show_totp(tx, keys, actor, totp, now)
    if refused is None:
        await units.stamp_session(tx, actor, now)
    return refused


async def sign_in_client(
    tx: Tx, keys: KeyRing, client_id: str, client_secret: str, now: datetime
) -> Tokens | Refused:
    """Client credentials (RFC 6749 §4.4) of a facility system or kiosk: an access token of one hour."""
    _, pepper = keys.secret("pepper")
    id_hash = hmac.digest(pepper, f"client\0{client_id}".encode(), hashlib.sha256)
    refused = await budgets.charge_or_refuse(tx, budgets.WRONG_CLIENT_SECRET, id_hash, now)
    if refused is not None:
        return refused
    client = await register.CLIENT_BY_ID.one(tx, _uuid(client_id) or uuid8(id_hash))
    secret = from_base64url(client_secret) or b""
    if client is None or client.ended_at or not hmac.compare_digest(digest(secret), client.secret_hash):
        return Refused(problem=SIGN_IN_REFUSED)
    await budgets.refund(tx, budgets.WRONG_CLIENT_SECRET, id_hash)
    return await sessions.open_client_session(tx, client.client_id, client.kind, now)


async def _account(tx: Tx, kind: AccountKind, user_name: str) -> UUID | None:
    if kind == "operator":
        operator = await register.OPERATOR_BY_USER_NAME.one(tx, user_name)
        return operator.operator_id if operator is not None and operator.ended_at is None else None
    person = await register.PRACTITIONER_BY_USER_NAME.one(tx, user_name)
    return person.practitioner_id if person is not None else None


async def _factors_hold(
    tx: Tx, keys: KeyRing, pending: PendingPassword, password_held: bool, totp: str, now: datetime
) -> bool:
    """Both factors, the TOTP step used up once; right ones give the charged try back."""
    if pending.credential is None or not password_held:
        return False
    if not await _step_holds(tx, keys, pending.credential, totp, now):
        return False
    await budgets.refund(tx, budgets.WRONG_PASSWORD, pending.id_hash)
    return True


async def _step_holds(tx: Tx, keys: KeyRing, credential: CredentialRow, totp: str, now: datetime) -> bool:
    sealed = credential.totp_secret
    secret = unseal(keys, credential.actor_id, "account_credential", "totp_secret", sealed)
    step = practitioners.totp_step(secret, totp, now)
    return step is not None and await entry.USE_TOTP_STEP.one(tx, credential.actor_id, step) is not None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
