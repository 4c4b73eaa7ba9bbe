"""Words of health cards. Ours; nobody approved them as an official text."""

from typing import Final, Literal, get_args

from vaccination.certificates.models import DoseReason
from vaccination.certificates.texts import REASONS as DOSE_REASONS
from vaccination.shc.models import CardReason, WhyNotOnCard

_OWN: Final = (
    WhyNotOnCard(
        code="hidden",
        text_vi="Bạn đang ẩn mũi này với người đọc sổ.",
        text_en="You hide this dose from readers of your book.",
        next_vi="Bỏ ẩn mũi này nếu muốn ghi lên thẻ.",
        next_en="Show the dose again if it should stand on the card.",
    ),
    WhyNotOnCard(
        code="no-code",
        text_vi="Vắc xin của mũi này chưa có mã quốc tế.",
        text_en="The vaccine of this dose has no code that others read.",
        next_vi="Nhờ cơ sở đã tiêm bổ sung tên vắc xin.",
        next_en="Ask the facility to add the vaccine's name.",
    ),
)
REASONS: Final[dict[CardReason, WhyNotOnCard]] = {
    code: WhyNotOnCard(
        code=code, text_vi=why.text_vi, text_en=why.text_en, next_vi=why.next_vi, next_en=why.next_en
    )
    for code in get_args(DoseReason)
    for why in (DOSE_REASONS[code],)
} | {why.code: why for why in _OWN}
STATES_VI: Final[dict[Literal["valid", "replaced", "revoked"], str]] = {
    "valid": "Đang có hiệu lực",
    "replaced": "Đã có thẻ mới hơn",
    "revoked": "Đã thu hồi",
}
