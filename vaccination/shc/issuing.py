"""Making a card in two transactions with the signer between them (security.md S28).

begin     choose the doses, keep what is to be signed, open a row for each signature
sign      outside: another process
complete  see that the doses say the same still, keep the signatures, let the card before it go

The row stands before the doses are looked at for the second time: whatever corrects a dose from then on
finds it.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from identity.people import person_of
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from vaccination.book.reading import doses_of
from vaccination.certificates.evidence import judge
from vaccination.certificates.issuing import ask_facility
from vaccination.shc import queries
from vaccination.shc.models import Book, CardDose, CardRow, Code, Content
from vaccination.shc.packing import Frame, Packed, pack, to_base64url
from vaccination.shc.policy import (
    Weighed,
    by_owner,
    doses_of_book,
    person_of_card,
    says_all_of,
    weigh,
    why_untrue,
)
from vaccination.shc.problems import CARD_BEING_MADE, CARD_EMPTY, CARD_PERSON_UNCLEAR
from vaccination.signer.issuances import close_issuances, open_issuance
from vaccination.signer.keys import current_signer
from vaccination.signer.models import DocumentSigner
from vaccination.signer.ports import Signer, SignerError
from vaccination.signer.problems import SIGNER_AWAY

TABLE: Final = "health_card"
# Longer than signatures take. After it nobody waits for them.
SIGNING_LIFE: Final = timedelta(seconds=30)
RID_BYTES: Final = 8


class ToSign(Struct, frozen=True, kw_only=True):
    """A card on its way through the signer."""

    patient_id: UUID
    card_id: UUID
    book: Book
    signer_id: str
    codes: tuple[Code, ...]


async def weighed_doses(tx: Tx, access: Access, now: datetime) -> list[Weighed]:
    """Every dose that the reader may see, with what a card would say of it."""
    doses = await doses_of(tx, access, now)
    return [weigh(one, now) for one in await judge(tx, access.patient_id, doses, now)]


async def begin(
    tx: Tx, keys: KeyRing, access: Access, book: Book, issuer: str, now: datetime
) -> CardRow | ToSign | Refused:
    """The newest card where it says all that there is, else what is to be signed. Doses that only await a
    confirmation are put before their facilities. Refused: health-card-person-unclear, health-card-empty,
    health-card-being-made, signer-away (there is no key)."""
    person = person_of_card(await person_of(tx, keys, access))
    if person is None:
        return Refused(problem=CARD_PERSON_UNCLEAR)
    weighed = await weighed_doses(tx, access, now)
    for one in weighed:
        if one.can_be_confirmed:
            await ask_facility(tx, one.judged, now)
    doses = doses_of_book(weighed, person, book)
    if not doses:
        return Refused(problem=CARD_EMPTY)
    for row in await queries.LIVE.all(tx, access.patient_id):
        if row.book != book:
            continue
        if row.state == "valid" and says_all_of(content_of(keys, row), person, doses):
            return row
        if row.state == "signing" and now - row.begun_at < SIGNING_LIFE:
            return Refused(problem=CARD_BEING_MADE, retry_after_seconds=2)
        if row.state == "signing":
            await give_up(tx, row, content_of(keys, row), now)
    signer = await current_signer(tx, "shc", now)
    if signer is None:
        return Refused(problem=SIGNER_AWAY)
    frame = Frame(issuer=issuer, kid=signer.kid_text, rid=_draw_rid(), person=person, valid_from=now)
    return await _start(tx, keys, access.patient_id, book, signer, frame, doses, now)


async def sign(signer: Signer | None, card: ToSign) -> tuple[bytes, ...] | Refused:
    """Ask the signer for each code. No transaction is open. Refused: signer-away."""
    if signer is None:
        return Refused(problem=SIGNER_AWAY)
    try:
        return tuple(
            [
                await signer.sign(
                    code.issuance_id, card.patient_id, card.signer_id, "jws", code.to_sign.encode()
                )
                for code in card.codes
            ]
        )
    except SignerError:
        return Refused(problem=SIGNER_AWAY)


async def complete(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    card: ToSign,
    signatures: tuple[bytes, ...] | Refused,
    now: datetime,
) -> CardRow | Refused:
    """Keep a card; without signatures, or where a dose changed meanwhile, give it up. Refused: what the
    signer said, or health-card-being-made where it is to be begun anew."""
    rows = {row.card_id: row for row in await queries.LIVE.all(tx, card.patient_id)}
    row = rows.get(card.card_id)
    if row is None or row.state != "signing":
        return Refused(problem=CARD_BEING_MADE, retry_after_seconds=2)
    content, person = content_of(keys, row), person_of_card(await person_of(tx, keys, access))
    weighed = await weighed_doses(tx, access, now)
    doses = by_owner(one.card for one in weighed if one.card is not None)
    if isinstance(signatures, Refused) or why_untrue(content, person, doses):
        await give_up(tx, row, content, now)
        refused = Refused(problem=CARD_BEING_MADE, retry_after_seconds=2)
        return signatures if isinstance(signatures, Refused) else refused
    for other in rows.values():
        if other.state == "valid" and other.book == row.book:
            await queries.END.run(tx, other.patient_id, other.card_id, "replaced", now, None)
    pairs = zip(content.codes, signatures, strict=True)
    codes = tuple(replace(code, signature=to_base64url(signature)) for code, signature in pairs)
    sealed = _seal(keys, row.patient_id, replace(content, codes=codes))
    await queries.COMPLETE.run(tx, row.patient_id, row.card_id, sealed, now)
    kept = await queries.CARD.one(tx, row.patient_id, row.card_id)
    assert kept is not None, "it was locked"
    return kept


async def give_up(tx: Tx, row: CardRow, content: Content, now: datetime) -> None:
    """A row without signatures, or whose signatures nobody kept: nobody holds it, so nothing is revoked, and
    none is given for it any more."""
    await close_issuances(tx, row.patient_id, [code.issuance_id for code in content.codes], now)
    await queries.END.run(tx, row.patient_id, row.card_id, "abandoned", now, None)


def content_of(keys: KeyRing, row: CardRow) -> Content:
    return msgspec.json.decode(unseal(keys, row.patient_id, TABLE, "content", row.content), type=Content)


def jws_of(code: Code) -> str:
    """A code's compact JWS."""
    return f"{code.to_sign}.{code.signature}"


async def _start(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    book: Book,
    signer: DocumentSigner,
    frame: Frame,
    doses: tuple[CardDose, ...],
    now: datetime,
) -> ToSign | Refused:
    packed, card_id = pack(frame, doses), uuid7(now)
    codes = tuple([await _open(tx, patient_id, signer, one, now) for one in packed])
    said = tuple(dose for one in packed for dose in one.doses)
    sealed = _seal(keys, patient_id, Content(person=frame.person, doses=said, codes=codes))
    made = await queries.BEGIN.one(
        tx, patient_id, card_id, book, signer.key_id, frame.kid, frame.rid, sealed, now
    )
    if made is None:
        return Refused(problem=CARD_BEING_MADE, retry_after_seconds=2)
    return ToSign(patient_id=patient_id, card_id=card_id, book=book, signer_id=signer.key_id, codes=codes)


async def _open(tx: Tx, patient_id: UUID, signer: DocumentSigner, packed: Packed, now: datetime) -> Code:
    issuance_id = await open_issuance(tx, patient_id, signer, packed.to_sign, now)
    return Code(issuance_id=issuance_id, to_sign=packed.to_sign.decode())


def _seal(keys: KeyRing, patient_id: UUID, content: Content) -> bytes:
    return seal(keys, patient_id, TABLE, "content", msgspec.json.encode(content).decode())


def _draw_rid() -> str:
    """64 random bits: says nothing of the person, and two cards of one person have nothing in common."""
    return to_base64url(secrets.token_bytes(RID_BYTES))
