"""One message, one receipt; each answer is decided and made anew (security.md S14)."""

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from kernel.access import Access, PartnerGroup
from kernel.ids import uuid7
from kernel.paging import decode_cursor, encode_cursor
from kernel.problems import Refused
from partners.disclosures import queries
from partners.disclosures.models import Disclosure, PaperClaims, Receipt, RecordClaims
from partners.disclosures.problems import MESSAGE_REUSED
from partners.records.service import Made
from partners.signing import sign
from store.database import Tx
from store.keys import KeyRing

# How long an answer counts as fresh; its signature proves what was handed over for ever.
FRESH: Final = timedelta(minutes=10)
PAGE: Final = 50
_NEWEST: Final = UUID(int=2**128 - 1)
_encode = msgspec.json.Encoder().encode


class Signed(Struct, frozen=True):
    """What leaves: the compact JWS, and the SHA-256 of its payload."""

    jws: str
    payload_sha256: bytes


class Asker(Struct, frozen=True, kw_only=True):
    """Whose message it is, about whom and by which consent: what the claims of every answer begin with.
    subject: what this client calls the person, under each of its consents."""

    issuer: str
    client_id: UUID
    subject: str
    reference: UUID
    receipt: Receipt


class DisclosurePage(Struct, frozen=True, kw_only=True):
    """What left, the newest first. next: opaque; null on the last page."""

    items: list[Disclosure]
    next: str | None


async def receive(tx: Tx, client_id: UUID, msg_id: str, asked: bytes, now: datetime) -> Receipt | Refused:
    """The receipt of a message; the same one when it comes again. asked: what it asks, in one spelling.

    Refused: message-reused, where it asks something else under the same name.
    """
    digest, receipt_id = hashlib.sha256(asked).digest(), uuid7(now)
    if await queries.INSERT_MESSAGE.one(tx, client_id, msg_id, digest, receipt_id, now) is not None:
        return Receipt(receipt_id=receipt_id, msg_id=msg_id, received_at=now)
    found = await queries.MESSAGE.one(tx, client_id, msg_id)
    if found is None or found.body_hash != digest:
        return Refused(problem=MESSAGE_REUSED, where="msg_id")
    return Receipt(receipt_id=found.receipt_id, msg_id=msg_id, received_at=found.received_at)


def sign_record(keys: KeyRing, asker: Asker, groups: list[PartnerGroup], made: Made, now: datetime) -> Signed:
    """The record with its claims."""
    claims = RecordClaims(
        iss=asker.issuer,
        aud=str(asker.client_id),
        sub=asker.subject,
        iat=int(now.timestamp()),
        exp=int((now + FRESH).timestamp()),
        jti=str(uuid7(now)),
        consent=str(asker.reference),
        msg_id=asker.receipt.msg_id,
        receipt=asker.receipt,
        groups=groups,
        record=msgspec.Raw(made.data),
    )
    payload = _encode(claims)
    return Signed(sign(keys, "ssk-partner-record+jws", payload), hashlib.sha256(payload).digest())


def sign_paper(
    keys: KeyRing, asker: Asker, encounter_id: str, pdf: bytes, media_type: str, now: datetime
) -> Signed:
    """The claims about a PDF, which its digest stands for."""
    claims = PaperClaims(
        iss=asker.issuer,
        aud=str(asker.client_id),
        sub=asker.subject,
        iat=int(now.timestamp()),
        exp=int((now + FRESH).timestamp()),
        jti=str(uuid7(now)),
        consent=str(asker.reference),
        msg_id=asker.receipt.msg_id,
        receipt=asker.receipt,
        encounter_id=encounter_id,
        media_type=media_type,
        sha256=hashlib.sha256(pdf).hexdigest(),
    )
    payload = _encode(claims)
    return Signed(sign(keys, "ssk-partner-paper+jws", payload), hashlib.sha256(payload).digest())


async def note(
    tx: Tx,
    access: Access,
    receipt: Receipt,
    *,
    groups: list[PartnerGroup],
    encounter_id: str | None = None,
    entries: int,
    payload_sha256: bytes,
    now: datetime,
) -> None:
    """What leaves with this answer, for its person; in the transaction of the access log's row."""
    assert access.basis == "partner"
    await queries.INSERT_DISCLOSURE.run(
        tx,
        access.patient_id,
        uuid7(now),
        access.actor.actor_id,
        access.basis_id,
        access.actor.name,
        receipt.receipt_id,
        receipt.msg_id,
        groups,
        encounter_id,
        entries,
        payload_sha256,
        now,
    )


async def page_of(tx: Tx, access: Access, consent_id: UUID | None, cursor: str | None) -> DisclosurePage:
    """What partners were handed of this person's book. Raises `bad-cursor`."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else _NEWEST
    rows = await queries.OF_PERSON.all(tx, access.patient_id, before, PAGE + 1, consent_id)
    items = [
        Disclosure(
            disclosure_id=row.disclosure_id,
            client_id=row.client_id,
            consent_id=row.consent_id,
            client_name=row.client_name,
            receipt_id=row.receipt_id,
            msg_id=row.msg_id,
            groups=row.groups,
            encounter_id=row.encounter_id,
            entries=row.entries,
            payload_sha256=row.payload_sha256.hex(),
            disclosed_at=row.disclosed_at,
        )
        for row in rows[:PAGE]
    ]
    following = encode_cursor(str(items[-1].disclosure_id)) if len(rows) > PAGE else None
    return DisclosurePage(items=items, next=following)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Messages of so long ago; how many went."""
    return await queries.FORGET.one(tx, before, limit) or 0
