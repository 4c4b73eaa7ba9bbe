"""What stands on the card: of the summary under the card's own Access, the ticked lines and nothing else.

The Access lets out only the types that the ticks name, nothing with a sensitivity label, nothing that is
hidden from anybody and nothing that waits for release; what the person disputes is left out here. A line
without anything says the same whether nothing is known or nothing may be shown.
"""

from datetime import datetime
from typing import Final

import msgspec

from consent.emergency_card import queries
from consent.emergency_card.models import CardContent, CardLine, CardPart, LiveCard, Part, Relation
from ehr.exports.lines import declared_text
from ehr.models import Item
from ehr.reads import summary
from ehr.reads.currency import Currency
from ehr.reads.models import Built, Person, Summary
from kernel.access import Access
from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing

TITLES: Final[dict[Part, tuple[str, str]]] = {
    "identity": ("Họ tên, năm sinh", "Name, year of birth"),
    "allergies": ("Dị ứng", "Allergies"),
    "blood-group": ("Nhóm máu", "Blood group"),
    "conditions": ("Bệnh đang có", "Conditions"),
    "medicines": ("Thuốc đang dùng", "Medicines"),
    "implants": ("Thiết bị cấy ghép", "Implants"),
    "contacts": ("Liên hệ khi khẩn cấp", "Emergency contacts"),
}
RELATIONS_VI: Final[dict[Relation, str]] = {
    "spouse": "vợ/chồng",
    "parent": "cha/mẹ",
    "child": "con",
    "sibling": "anh/chị/em",
    "relative": "người thân",
    "friend": "bạn",
    "neighbour": "hàng xóm",
    "carer": "người chăm sóc",
}
NOTICE_VI: Final = (
    "Thẻ chỉ có những mục mà người bệnh chọn và có thể chưa đầy đủ. "
    "Không có trên thẻ không có nghĩa là không có."
)
NOTICE_EN: Final = (
    "The card holds only the lines that the person chose and may be incomplete. Not shown does not mean none."
)
NO_INFORMATION_VI: Final = "Chưa có thông tin."
_SECTIONS: Final[dict[Part, str]] = {
    "allergies": "allergies",
    "conditions": "problems",
    "medicines": "medications",
    "implants": "devices",
}
LINES_MAX: Final = 30


async def read(
    tx: Tx, keys: KeyRing, access: Access, card: LiveCard, now: datetime, currency: Currency
) -> Built:
    """The card as JSON bytes, and what of the record it shows."""
    assert access.action == "read-emergency-card"
    built = await summary.read(tx, keys, access, now, currency=currency)
    whole = msgspec.json.decode(built.body, type=Summary)
    parts, shown = [], list[tuple[str, str]]()
    for part in card.parts:
        made, ids = await _part(tx, keys, card, part, whole)
        parts.append(made)
        shown += [row for row in built.shown if row[1] in ids]
    content = CardContent(parts=parts, notice_vi=NOTICE_VI, notice_en=NOTICE_EN, read_at=now)
    return Built(msgspec.json.encode(content), list(dict.fromkeys(shown)))


async def _part(
    tx: Tx, keys: KeyRing, card: LiveCard, part: Part, whole: Summary
) -> tuple[CardPart, set[str]]:
    """A ticked line, and the ids of the record's rows on it."""
    if part == "identity":
        return _made(part, _identity(whole.person)), set()
    if part == "contacts":
        return _made(part, await _contacts(tx, keys, card)), set()
    if part == "blood-group":
        items = _sure(whole.person.blood_groups)
        return _made(part, [CardLine(text=_blood_group(item)) for item in items]), {i.id for i in items}
    section = next((one for one in whole.sections if one.key == _SECTIONS[part]), None)
    items = _sure(section.items if section else [])
    empty = section.state_vi if section and not section.items else None
    return _made(part, [_line(item) for item in items], empty), {item.id for item in items}


def _made(part: Part, lines: list[CardLine], empty_vi: str | None = None) -> CardPart:
    vi, en = TITLES[part]
    empty = "" if lines else empty_vi or NO_INFORMATION_VI
    return CardPart(part=part, title_vi=vi, title_en=en, lines=lines[:LINES_MAX], empty_vi=empty)


def _sure(items: list[Item]) -> list[Item]:
    """Without what the person says is wrong."""
    return [item for item in items if not (item.disputed or item.hidden or item.not_yet_released)]


def _line(item: Item) -> CardLine:
    told = ["nguy cơ cao" if item.criticality == "high" else "", *item.reactions, *item.dosage]
    told.append(declared_text(item))
    return CardLine(text=item.title, detail="; ".join(part for part in told if part))


def _blood_group(item: Item) -> str:
    told = f"{item.title}: {item.value}" if item.value else item.title
    return f"{told} ({declared_text(item)})" if item.self_declared else told


def _identity(person: Person) -> list[CardLine]:
    year = person.birth_date[:4] if person.birth_date else ""
    return [CardLine(text=person.name, detail=year)] if person.name else []


async def _contacts(tx: Tx, keys: KeyRing, card: LiveCard) -> list[CardLine]:
    """Only contacts who agreed."""
    return [
        CardLine(
            text=f"{unseal(keys, row.patient_id, 'emergency_contact', 'name_sealed', row.name_sealed)}"
            f" ({RELATIONS_VI[row.relation]})",
            detail=unseal(keys, row.patient_id, "emergency_contact", "phone_sealed", row.phone_sealed),
        )
        for row in await queries.accepted_contacts(tx, card.patient_id)
    ]
