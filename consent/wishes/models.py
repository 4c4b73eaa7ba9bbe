"""What the person wishes, and what that is not."""

from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from msgspec import Struct

WishKind = Literal["organ-donation", "treatment-limits", "trusted-person"]
WISH_KINDS: Final[tuple[WishKind, ...]] = get_args(WishKind)
Choice = Literal["yes", "no", "undecided"]

TITLES_VI: Final[dict[WishKind, str]] = {
    "organ-donation": "Hiến mô, tạng",
    "treatment-limits": "Giới hạn điều trị",
    "trusted-person": "Người tôi tin cậy",
}
CHOICES_VI: Final[dict[Choice, str]] = {"yes": "Đồng ý", "no": "Không đồng ý", "undecided": "Chưa quyết định"}
# Law on donation of tissue and organs 75/2006 asks for a registration of its own; for limits of treatment our
# sources name no law. Both to be confirmed by counsel.
NOT_LEGAL_VI: Final = (
    "Đây là lời người bệnh ghi lại, không phải văn bản pháp lý: không thay cho đăng ký hiến mô, tạng, "
    "di chúc, giấy ủy quyền hay quyết định của bác sĩ và gia đình. Hãy hỏi lại người bệnh khi còn có thể."
)
NOT_LEGAL_EN: Final = (
    "These are the person's own words and no legal document: they replace no donor registration, will, power "
    "of attorney or decision of doctors and family. Ask the person again while that is possible."
)


class Words(Struct, frozen=True, kw_only=True):
    """choice: of organ donation alone. text: the person's own words."""

    choice: Choice | None
    text: str


class WishRow(Struct, frozen=True):
    wish_id: UUID
    kind: WishKind
    version: int
    said_sealed: bytes
    shown_to_doctors: bool
    shown_on_paper: bool
    said_at: datetime


class Wish(Struct, frozen=True, kw_only=True):
    """A wish that stands."""

    wish_id: UUID
    kind: WishKind
    title_vi: str
    version: int
    choice: Choice | None
    text: str
    shown_to_doctors: bool
    shown_on_paper: bool
    said_at: datetime


class WishShown(Struct, frozen=True, kw_only=True):
    """A wish as a doctor sees it."""

    kind: WishKind
    title_vi: str
    choice: Choice | None
    text: str
    said_at: datetime


class WishesShown(Struct, frozen=True, kw_only=True):
    """What the person lets doctors with access see. The notice is always there; none shown says nothing of
    whether there are any."""

    items: list[WishShown]
    notice_vi: str
    notice_en: str
