"""Proving who one is: a transaction goes out to a provider and comes back, and its result serves once.

open_at    outside a transaction: ask the verifier for the address that the person opens
begin      write the transaction down, bound to the secret of the device that asked
take       the browser is back: its state serves once
conclude   keep the result for ever, what was said of the person for minutes, and hand the browser a receipt
look       the device that asked reads what was said, to judge its own form by it; nothing is used up
claim      the device that asked brings receipt and secret: the result is used up, for its purpose alone

Secret and receipt are both needed: whoever only started cannot use the sign-in of somebody else who followed
a link to the provider, and whoever only catches the browser's way back has not started.
note       the same for checks that the program makes itself and acts on at once (a code to a phone, two staff
           accounts)
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from identity.ports import IdentityVerifier
from identity.tokens import digest, from_base64url, new_secret, to_base64url, write_token
from identity.verification import queries
from identity.verification.models import (
    Begun,
    Level,
    Method,
    Opened,
    Proven,
    Purpose,
    TransactionRow,
    VerificationRow,
    Verified,
)
from identity.verification.problems import (
    VERIFICATION_LEVEL_LOW,
    VERIFICATION_REFUSED,
    VERIFICATION_UNAVAILABLE,
)
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing

LIFE: Final = timedelta(minutes=10)
# A page of ours takes its receipt out of the address at once; an app gets it where no server sees it.
PAGE_RECEIPT_LIFE: Final = timedelta(seconds=60)
SECRET_BYTES: Final = 32
_HASH_BYTES: Final = 32
_PLACE: Final = ("identity_transaction", "sealed")


class Landing(Struct, frozen=True):
    """Where the browser goes on from the callback."""

    address: str


async def open_at(verifier: IdentityVerifier | None, now: datetime) -> Opened | Refused:
    """Make a transaction ready at the provider. No transaction of the database may be open meanwhile."""
    if verifier is None:
        return Refused(problem=VERIFICATION_UNAVAILABLE)
    transaction_id = uuid7(now)
    state = write_token(transaction_id.bytes, new_secret())
    started = await verifier.start(state, now)
    if isinstance(started, Refused):
        return started
    return Opened(
        transaction_id=transaction_id,
        state=state,
        method=verifier.method,
        provider=verifier.provider,
        started=started,
    )


async def begin(
    tx: Tx,
    keys: KeyRing,
    opened: Opened,
    *,
    purpose: Purpose,
    secret_challenge: str,
    return_to: str,
    consent_id: UUID | None = None,
    now: datetime,
) -> Begun | Refused:
    """Write a transaction down; the caller sends the person to `address`.

    secret_challenge: base64url of SHA-256 of the secret's bytes that the device keeps (32 random ones).
    return_to: one of the apps' configured addresses, or the path of a page of ours, as the caller checked.
    """
    challenge = from_base64url(secret_challenge)
    if challenge is None or len(challenge) != _HASH_BYTES:
        return Refused(problem=VERIFICATION_REFUSED, where="secret_challenge")
    await queries.INSERT_TRANSACTION.run(
        tx,
        opened.transaction_id,
        opened.method,
        opened.provider,
        purpose,
        consent_id,
        return_to,
        digest(opened.state.encode()),
        challenge,
        seal(keys, opened.transaction_id, *_PLACE, opened.started.kept),
        now,
        now + LIFE,
    )
    return Begun(transaction_id=opened.transaction_id, address=opened.started.address, expires_at=now + LIFE)


async def take(tx: Tx, keys: KeyRing, state: str, now: datetime) -> tuple[TransactionRow, str] | Refused:
    """The transaction that a browser comes back to, and what `start` kept. A state serves once."""
    transaction_id = _id_in(state)
    if transaction_id is None:
        return Refused(problem=VERIFICATION_REFUSED)
    row = await queries.TAKE_TRANSACTION.one(tx, transaction_id, digest(state.encode()), now)
    if row is None:
        return Refused(problem=VERIFICATION_REFUSED)
    return row, unseal(keys, transaction_id, *_PLACE, row.sealed)


async def conclude(
    tx: Tx, keys: KeyRing, row: TransactionRow, result: Verified | Refused, now: datetime
) -> Landing:
    """Keep what the verifier said. The browser goes on with a receipt, also after a no: the address says
    nothing of the answer."""
    verification_id = None
    person = Verified(level=0) if isinstance(result, Refused) else result
    if not isinstance(result, Refused):
        kept = await append(
            tx,
            method=row.method,
            provider=row.provider,
            level=person.level,
            purpose=row.purpose,
            transaction_id=row.transaction_id,
            consent_id=row.consent_id,
            now=now,
        )
        verification_id = kept.verification_id
    receipt = write_token(row.transaction_id.bytes, new_secret())
    page = row.return_to.startswith("/")
    await queries.ANSWER_TRANSACTION.one(
        tx,
        row.transaction_id,
        seal(keys, row.transaction_id, *_PLACE, msgspec.json.encode(person).decode()),
        verification_id,
        digest(receipt.encode()),
        now + (PAGE_RECEIPT_LIFE if page else LIFE),
    )
    # A fragment reaches the app that opens the address and no server, log or referrer on the way (S34).
    return Landing(f"{row.return_to}{'?' if page else '#'}receipt={receipt}")


async def look(
    tx: Tx, keys: KeyRing, receipt: str, secret: str, *, purpose: Purpose, now: datetime
) -> Verified | None:
    """What the provider said, for whoever could claim it now; it can be claimed still."""
    named, raw = _id_in(receipt), from_base64url(secret)
    row = None
    if named is not None:
        row = await queries.ANSWER.one(tx, named, digest(receipt.encode()), now)
    if named is None or raw is None or row is None or row.verification_id is None or row.purpose != purpose:
        return None
    if not hmac.compare_digest(row.secret_hash, hashlib.sha256(raw).digest()):
        return None
    return msgspec.json.decode(unseal(keys, named, *_PLACE, row.sealed), type=Verified)


async def claim(
    tx: Tx,
    keys: KeyRing,
    receipt: str,
    secret: str,
    *,
    purpose: Purpose,
    transaction_id: UUID | None = None,
    level_min: Level,
    now: datetime,
) -> Proven | Refused:
    """Use a result up: once, by the device that asked, for what it asked for, within its life.

    secret: base64url of what `secret_challenge` is the hash of. transaction_id: the one that the caller
    began, where it noted it. Every no but a low level is the same one.
    """
    named, raw = _id_in(receipt), from_base64url(secret)
    if named is None or raw is None or transaction_id not in (None, named):
        return Refused(problem=VERIFICATION_REFUSED)
    row = await queries.CLAIM_TRANSACTION.one(tx, named, digest(receipt.encode()), now)
    if row is None or row.verification_id is None:
        return Refused(problem=VERIFICATION_REFUSED)
    if not hmac.compare_digest(row.secret_hash, hashlib.sha256(raw).digest()):
        return Refused(problem=VERIFICATION_REFUSED)
    used = await use(tx, row.verification_id, purpose, named, now)
    if isinstance(used, Refused):
        return used
    if used.level < level_min:
        return Refused(problem=VERIFICATION_LEVEL_LOW)
    person = msgspec.json.decode(unseal(keys, named, *_PLACE, row.sealed), type=Verified)
    return Proven(row=used, person=person)


async def append(
    tx: Tx,
    *,
    method: Method,
    provider: str,
    level: Level,
    purpose: Purpose,
    transaction_id: UUID,
    consent_id: UUID | None = None,
    now: datetime,
) -> VerificationRow:
    """Keep a result for ever. provider: issuer, facility id, or whoever checked. transaction_id: what it was
    made for (a proposal, a challenge); it serves nothing else."""
    row = VerificationRow(
        verification_id=uuid7(now),
        method=method,
        provider=provider,
        level=level,
        purpose=purpose,
        consent_id=consent_id,
        transaction_id=transaction_id,
        at=now,
    )
    await queries.INSERT_VERIFICATION.run(tx, *msgspec.structs.astuple(row))
    return row


async def note(
    tx: Tx,
    *,
    method: Method,
    provider: str,
    level: Level,
    purpose: Purpose,
    transaction_id: UUID,
    now: datetime,
) -> VerificationRow:
    """Keep a result that the caller acts on in this transaction, as used: it serves nothing else."""
    row = await append(
        tx,
        method=method,
        provider=provider,
        level=level,
        purpose=purpose,
        transaction_id=transaction_id,
        now=now,
    )
    await queries.USE_VERIFICATION.one(tx, row.verification_id, now)
    return row


async def use(
    tx: Tx, verification_id: UUID, purpose: Purpose, transaction_id: UUID, now: datetime
) -> VerificationRow | Refused:
    """Use a result up, exactly once: for its purpose, in its transaction, within ten minutes."""
    row = await queries.VERIFICATION.one(tx, verification_id)
    if row is None or (row.purpose, row.transaction_id) != (purpose, transaction_id):
        return Refused(problem=VERIFICATION_REFUSED)
    if not row.at <= now < row.at + LIFE:
        return Refused(problem=VERIFICATION_REFUSED)
    if await queries.USE_VERIFICATION.one(tx, verification_id, now) is None:
        return Refused(problem=VERIFICATION_REFUSED)
    return row


def challenge_of(secret: bytes) -> str:
    """What a device sends of its secret when it starts."""
    return to_base64url(hashlib.sha256(secret).digest())


def _id_in(token: str) -> UUID | None:
    raw = from_base64url(token)
    return None if raw is None or len(raw) != 16 + SECRET_BYTES else UUID(bytes=raw[:16])
