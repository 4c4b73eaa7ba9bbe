"""The card for the wallet: the ticked lines and the code, on paper of the size of a bank card."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from consent.emergency_card import opening
from consent.emergency_card.models import CardContent, CardPart
from consent.emergency_card.service import link_of_card
from documents.pdf import Block, Card, Line, card
from ehr.reads.currency import Currency
from ehr.reads.models import Built
from kernel.access import Access
from kernel.clock import VIETNAM
from kernel.problems import Refused
from qr.draw import svg
from store.database import Tx
from store.keys import KeyRing

TITLE: Final = "THẺ SỨC KHỎE KHẨN CẤP"
SCAN: Final = "Quét mã để xem bản mới nhất. Mỗi lần mở đều được ghi lại và báo cho chủ thẻ."


class Gathered(Struct, frozen=True):
    """What the card is made of, read in one transaction."""

    content: CardContent
    shown: list[tuple[str, str]]
    link: str


async def gather(
    tx: Tx, keys: KeyRing, access: Access, origin: str, now: datetime, currency: Currency
) -> Gathered | Refused:
    """The lines that whoever scans the code sees, and the code. Refused: emergency-card-off."""
    opened = await opening.preview(tx, access)
    if isinstance(opened, Refused):
        return opened
    built = await opening.content_of(tx, keys, opened, now, currency)
    content = msgspec.json.decode(built.body, type=CardContent)
    return Gathered(content, built.shown, link_of_card(keys, opened.card, origin))


def build(gathered: Gathered, now: datetime) -> Built:
    """Front and back. Blocks for as long as the page takes."""
    parts = {part.part: part for part in gathered.content.parts}
    identity = parts.get("identity")
    who = identity.lines[0] if identity and identity.lines else None
    made = Card(
        title=TITLE,
        name=who.text if who else "",
        facts=[f"Năm sinh {who.detail}"] if who and who.detail else [],
        blocks=[_block(part) for part in gathered.content.parts if part.part != "identity"],
        notices=[gathered.content.notice_vi, SCAN],
        printed=f"In ngày {now.astimezone(VIETNAM):%d/%m/%Y}",
        code_svg=svg(gathered.link),
    )
    return Built(card(made, now), gathered.shown)


def _block(part: CardPart) -> Block:
    lines = [Line(title=line.text, detail=line.detail) for line in part.lines]
    return Block(key=part.part, title=part.title_vi, lines=lines, empty=part.empty_vi)
