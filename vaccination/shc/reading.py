"""Cards as people see them, and as they are shown to others.

Who acts for another sees a card only where every dose on it may be seen.
"""

import asyncio
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from msgspec import Struct

from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.raw import encode
from identity.people import person_of
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from qr import cards as codes
from qr.draw import picture_png, picture_svg
from store.database import Tx
from store.keys import KeyRing
from vaccination.book.reading import doses_of
from vaccination.shc import queries
from vaccination.shc.issuing import content_of, jws_of, weighed_doses
from vaccination.shc.models import (
    Book,
    BookOfCards,
    CardFile,
    CardRow,
    CardShown,
    CardText,
    CardTexts,
    Content,
    HealthCards,
    LeftOut,
)
from vaccination.shc.policy import Weighed, doses_of_book, person_of_card, says_all_of
from vaccination.shc.problems import CARD_NOT_FOUND
from vaccination.shc.texts import REASONS, STATES_VI

CARDS_MAX: Final = 100
Picture = Literal["svg", "png"]


class Opened(Struct, frozen=True):
    """A card that the reader may see."""

    row: CardRow
    content: Content


async def list_cards(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built:
    """Both books with their newest cards, what no card speaks of and why, and the cards before."""
    weighed = await weighed_doses(tx, access, now)
    person = person_of_card(await person_of(tx, keys, access))
    opened = await _cards(tx, keys, access, {one.dose.immunization_id for one in weighed})
    # The person's own one stands before one of who was merged into it.
    valid = {one.row.book: one for one in opened[::-1] if one.row.state == "valid"}
    books = []
    for book in get_args(Book):
        doses = doses_of_book(weighed, person, book) if person else ()
        card = valid.get(book)
        is_current = person is not None and card is not None and says_all_of(card.content, person, doses)
        books.append(
            BookOfCards(
                book=book, doses=len(doses), card=_shown(card) if card else None, is_current=is_current
            )
        )
    said = HealthCards(
        books=books,
        left_out=[_left_out(one) for one in weighed if one.reasons],
        ended=[_shown(one) for one in opened if one not in valid.values()],
        notice=notice_for(access),
    )
    return Built(encode(said), [("Immunization", one.dose.immunization_id) for one in weighed])


async def read_card(tx: Tx, keys: KeyRing, access: Access, card_id: UUID, now: datetime) -> Built:
    """What the codes of a card hold. Raises health-card-not-found."""
    card = await _card(tx, keys, access, card_id, now)
    texts = [CardText(qr=codes.numeric(jws), jws=jws) for jws in _jws(card)]
    return _built(encode(CardTexts(card_id=card.row.card_id, codes=texts)), card)


async def draw_code(
    tx: Tx, keys: KeyRing, access: Access, card_id: UUID, number: int, picture: Picture, now: datetime
) -> Built:
    """One code of a card as a picture, the first is 1. Raises health-card-not-found."""
    card = await _card(tx, keys, access, card_id, now)
    if not 1 <= number <= len(card.content.codes):
        raise ProblemError(Refused(problem=CARD_NOT_FOUND))
    drawn = await asyncio.to_thread(_draw, _jws(card)[number - 1], picture)
    return _built(drawn, card)


async def file_of(tx: Tx, keys: KeyRing, access: Access, card_id: UUID, now: datetime) -> Built:
    """The card as a file for a phone's wallet. Raises health-card-not-found."""
    card = await _card(tx, keys, access, card_id, now)
    return _built(encode(CardFile(verifiable_credential=_jws(card))), card)


def shown_card(keys: KeyRing, row: CardRow) -> Built:
    """A card that was just made, for its person."""
    card = Opened(row, content_of(keys, row))
    return _built(encode(_shown(card)), card)


async def _card(tx: Tx, keys: KeyRing, access: Access, card_id: UUID, now: datetime) -> Opened:
    """A card that is not revoked."""
    found = [await queries.CARD.one(tx, owner, card_id) for owner in _owners(access)]
    row = next((one for one in found if one is not None), None)
    if row is None or row.state not in ("valid", "replaced"):
        raise ProblemError(Refused(problem=CARD_NOT_FOUND))
    card = Opened(row, content_of(keys, row))
    seen = {dose.immunization_id for dose in await doses_of(tx, access, now)}
    if not (access.is_own or _ids(card) <= seen):
        raise ProblemError(Refused(problem=CARD_NOT_FOUND))
    return card


async def _cards(tx: Tx, keys: KeyRing, access: Access, seen: set[str]) -> list[Opened]:
    """Those of the person newest first, then those of who was merged into it."""
    rows = [row for owner in _owners(access) for row in await queries.CARDS.all(tx, owner, CARDS_MAX)]
    opened = [Opened(row, content_of(keys, row)) for row in rows]
    return [card for card in opened if access.is_own or _ids(card) <= seen]


def _owners(access: Access) -> tuple[UUID, ...]:
    """Of the person and of whoever was merged into it: a card stays with whose it was."""
    return (access.patient_id, *sorted(access.origins))


def _draw(jws: str, picture: Picture) -> bytes:
    """Blocks for some ten milliseconds."""
    rows = codes.matrix(codes.numeric(jws))
    return picture_svg(rows).encode() if picture == "svg" else picture_png(rows)


def _ids(card: Opened) -> set[str]:
    return {dose.immunization_id for dose in card.content.doses}


def _jws(card: Opened) -> list[str]:
    return [jws_of(code) for code in card.content.codes]


def _built(body: bytes, card: Opened) -> Built:
    return Built(body, [("Immunization", dose_id) for dose_id in sorted(_ids(card))])


def _shown(card: Opened) -> CardShown:
    row = card.row
    assert row.issued_at is not None, "no signature, no card"
    assert row.state in ("valid", "replaced", "revoked"), "not made yet"
    return CardShown(
        card_id=row.card_id,
        book=row.book,
        codes=len(card.content.codes),
        doses=[dose.immunization_id for dose in card.content.doses],
        state=row.state,
        state_vi=STATES_VI[row.state],
        issued_at=row.issued_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def _left_out(one: Weighed) -> LeftOut:
    return LeftOut(
        immunization_id=one.dose.immunization_id,
        title=one.dose.title,
        given=one.dose.given,
        reasons=[REASONS[reason] for reason in one.reasons],
    )
