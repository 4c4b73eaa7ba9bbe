"""The viewer's side of links: an address, a passcode, files.

A link that is not in force, for whatever reason, is one refusal. The passcode is checked by one statement
that charges, compares and locks; its slow digest is made before, outside any transaction, once the opening
itself was charged (security.md S33).
"""

from datetime import datetime
from uuid import UUID

import msgspec

from audit.service import record_act
from consent.links import queries
from consent.links.models import Door, LinkFile, Ticket
from consent.links.policy import TICKET_LIFE, TRIES, own_words
from consent.links.problems import LINK_BUSY, LINK_NOT_FOUND, PASSCODE_INVALID
from consent.links.service import recipient_of
from identity import budgets
from identity.tokens import digest, from_base64url, new_secret, to_base64url
from kernel.access import Access, Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal
from store.keys import KeyRing
from store.outbox import emit

SECRET_BYTES = 32


def opener(link_id: UUID, recipient: str) -> Actor:
    """Whoever holds the address and the passcode, by own words that nobody checked."""
    return Actor(kind="bearer", actor_id=link_id, name=f"{own_words(recipient)} (tự khai)")


async def find(tx: Tx, token: str, now: datetime) -> Door | Refused:
    """The link in force that an address opens, and a charge. Refused: link-not-found, link-busy."""
    secret = from_base64url(token)
    if secret is None or len(secret) != SECRET_BYTES:
        return Refused(problem=LINK_NOT_FOUND)
    found = await queries.BY_ADDRESS.one(tx, digest(secret))
    door = found and await queries.DOOR.one(tx, found.patient_id, found.link_id, now)
    if not door:
        return Refused(problem=LINK_NOT_FOUND)
    spent = await budgets.charge_or_refuse(
        tx, budgets.LINK_OPENINGS, budgets.subject(door.link_id.bytes), now
    )
    if spent is not None:
        return Refused(problem=LINK_BUSY, retry_after_seconds=spent.retry_after_seconds)
    return door


async def check(
    tx: Tx, door: Door, stretched: bytes, recipient: str, *, trace_id: str, now: datetime
) -> Refused | None:
    """Judge one passcode. Refused: passcode-invalid with how many tries remain, link-not-found."""
    person, link_id = door.patient_id, door.link_id
    judged = await queries.CHECK_PASSCODE.one(tx, person, link_id, now, door.arming, stretched, TRIES)
    if judged is None:
        return Refused(problem=LINK_NOT_FOUND)
    if judged.matched:
        return None
    if judged.attempts >= TRIES:
        await emit(tx, person, "consent.link-locked", {"link_id": str(link_id)}, now)
    await record_act(
        tx,
        person,
        opener(link_id, recipient),
        "consent:link:wrong",
        grant_id=link_id,
        outcome="refused",
        reason=PASSCODE_INVALID.code,
        request_id=trace_id,
        now=now,
    )
    return Refused(problem=PASSCODE_INVALID, remaining=TRIES - judged.attempts)


def missing(door: Door) -> Refused:
    """No passcode was sent: that is no guess and costs none."""
    return Refused(problem=PASSCODE_INVALID, remaining=TRIES - door.attempts)


async def note_opening(
    tx: Tx, keys: KeyRing, access: Access, recipient: str, *, trace_id: str, now: datetime
) -> UUID:
    """Write down who says to have opened it, in the log too, and tell the owner."""
    assert access.basis_id is not None
    person, link_id, opening_id = access.patient_id, access.basis_id, uuid7(now)
    sealed = seal(keys, person, "share_link_opening", "recipient_sealed", own_words(recipient))
    await queries.INSERT_OPENING.run(tx, person, link_id, opening_id, sealed, now)
    await emit(tx, person, "consent.link-opened", {"link_id": str(link_id)}, now)
    await record_act(
        tx,
        person,
        access.actor,
        "consent:link:open",
        purpose=access.purpose,
        grant_id=link_id,
        grant_version=access.basis_version,
        request_id=trace_id,
        now=now,
    )
    return opening_id


async def make_way(tx: Tx, access: Access, opening_id: UUID, file: LinkFile, now: datetime) -> str:
    """The secret of an address at which one file lies, once, for a minute."""
    secret = new_secret()
    await queries.INSERT_TICKET.run(
        tx,
        digest(secret),
        access.patient_id,
        access.basis_id,
        access.basis_version,
        opening_id,
        file.content,
        now + TICKET_LIFE,
    )
    return to_base64url(secret)


async def take_way(tx: Tx, token: str, now: datetime) -> Ticket | Refused:
    """Use an address of a file up, also one that is too old."""
    secret = from_base64url(token)
    if secret is None or len(secret) != SECRET_BYTES:
        return Refused(problem=LINK_NOT_FOUND)
    ticket = await queries.TAKE_TICKET.one(tx, digest(secret))
    if ticket is None or now >= ticket.expires_at:
        return Refused(problem=LINK_NOT_FOUND)
    return ticket


async def words_of(tx: Tx, keys: KeyRing, ticket: Ticket) -> str:
    """What the opener of this opening said of itself."""
    found = await queries.OPENING.one(tx, ticket.patient_id, ticket.link_id, ticket.opening_id)
    return "" if found is None else recipient_of(keys, ticket.patient_id, found)


async def file_of(tx: Tx, patient_id: UUID, link_id: UUID, content: str) -> LinkFile | Refused:
    return await queries.FILE.one(tx, patient_id, link_id, content) or Refused(problem=LINK_NOT_FOUND)


def shown_in(file: LinkFile) -> list[tuple[str, str]]:
    """(type, id) of what stands in a file."""
    return msgspec.json.decode(file.shown, type=list[tuple[str, str]])
