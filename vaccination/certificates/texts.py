"""Words of certificates. Ours; nobody approved them as an official text."""

from typing import Final

from vaccination.certificates.models import Reason, ShownState, WhyNot

_TEXTS: Final[dict[Reason, tuple[str, str, str, str]]] = {
    "self-declared": (
        "Mũi này do bạn tự khai, chưa có cơ sở nào gửi.",
        "This dose was declared by yourself; no facility has sent it.",
        "Mang giấy tiêm tới cơ sở đã tiêm và nhờ gửi dữ liệu.",
        "Take your paper to the facility that vaccinated you and ask it to send the dose.",
    ),
    "being-corrected": (
        "Mũi này đang được sửa hoặc bạn đang phản đối.",
        "This dose is being corrected, or you object to it.",
        "Chờ cơ sở trả lời rồi thử lại.",
        "Wait for the facility's answer and try again.",
    ),
    "duplicate": (
        "Đây là bản sao của một mũi khác trong sổ.",
        "This is a copy of another dose in the book.",
        "Xin chứng nhận cho mũi kia.",
        "Ask for the certificate of the other dose.",
    ),
    "source-stale": (
        "Mũi này đến từ một hệ thống hiện chưa cập nhật được.",
        "This dose came from a system that could not be reached lately.",
        "Thử lại sau.",
        "Try again later.",
    ),
    "date-unclear": (
        "Chưa rõ ngày tiêm.",
        "The day of the vaccination is not known.",
        "Nhờ cơ sở đã tiêm bổ sung ngày.",
        "Ask the facility to add the day.",
    ),
    "date-ahead": (
        "Ngày tiêm ở trong tương lai.",
        "The day of the vaccination lies ahead.",
        "Nhờ cơ sở đã tiêm sửa ngày.",
        "Ask the facility to correct the day.",
    ),
    "facility-unknown": (
        "Không rõ cơ sở nào đã tiêm.",
        "It is not known which facility vaccinated.",
        "Nhờ cơ sở đã tiêm gửi lại mũi này.",
        "Ask the facility that vaccinated you to send the dose.",
    ),
    "no-authority": (
        "Sổ chưa ghi nhận cơ sở này được tiêm chủng vào ngày đó.",
        "It is not recorded here that the facility might vaccinate on that day.",
        "Nhờ cơ sở gửi công bố đủ điều kiện tiêm chủng cho đơn vị vận hành sổ.",
        "Ask the facility to send its declaration of conditions for vaccination to who runs this book.",
    ),
    "passed-on": (
        "Mũi này do một hệ thống khác chuyển tới; cần cơ sở đã tiêm xác nhận.",
        "Another system passed this dose on; the facility that gave it has to confirm it.",
        "Xin chứng nhận hoặc thẻ để cơ sở được yêu cầu xác nhận, rồi thử lại sau.",
        "Ask for the certificate or card: the facility is then asked to confirm. Try again later.",
    ),
    "back-dated": (
        "Cơ sở gửi mũi này hơn 30 ngày sau ngày tiêm; cần thêm một người của cơ sở xác nhận.",
        "The facility sent this dose more than 30 days after its day; a second account has to confirm it.",
        "Xin chứng nhận hoặc thẻ để cơ sở được yêu cầu xác nhận, rồi thử lại sau.",
        "Ask for the certificate or card: the facility is then asked to confirm. Try again later.",
    ),
    "not-covid-19": (
        "Chứng nhận quốc tế này chỉ có cho vắc xin COVID-19.",
        "This international certificate exists for COVID-19 vaccines alone.",
        "Dùng thẻ sức khỏe (SMART Health Card) cho các mũi khác.",
        "Use a health card (SMART Health Card) for other doses.",
    ),
    "product-unknown": (
        "Chưa rõ tên vắc xin COVID-19 đã tiêm.",
        "It is not clear which COVID-19 vaccine was given.",
        "Nhờ cơ sở đã tiêm bổ sung tên vắc xin.",
        "Ask the facility to add the vaccine's name.",
    ),
    "dose-number-unknown": (
        "Chưa rõ đây là mũi thứ mấy.",
        "It is not known which dose this was.",
        "Nhờ cơ sở đã tiêm bổ sung số mũi.",
        "Ask the facility to add the number of the dose.",
    ),
    "name-unknown": (
        "Sổ chưa có họ tên của bạn.",
        "Your name is not in the book.",
        "Xác minh giấy tờ tại một cơ sở.",
        "Have your identity card verified at a facility.",
    ),
    "birth-date-unknown": (
        "Sổ chưa có ngày sinh của bạn.",
        "Your birth date is not in the book.",
        "Xác minh giấy tờ tại một cơ sở.",
        "Have your identity card verified at a facility.",
    ),
}
REASONS: Final[dict[Reason, WhyNot]] = {
    code: WhyNot(code=code, text_vi=vi, text_en=en, next_vi=next_vi, next_en=next_en)
    for code, (vi, en, next_vi, next_en) in _TEXTS.items()
}
STATES_VI: Final[dict[ShownState, str]] = {
    "valid": "Đang có hiệu lực",
    "renewed": "Đã có bản mới; bản này còn giá trị đến hết hạn",
    "replaced": "Đã thay bằng bản mới",
    "revoked": "Đã thu hồi",
    "expired": "Đã hết hạn",
}
MISSING_VI: Final = (
    "Không thấy một mũi? Mũi đó chưa vào sổ, hoặc đang chờ kiểm tra vì giấy tờ không khớp. "
    "Mang giấy tiêm tới cơ sở đã tiêm, hoặc mở yêu cầu bổ sung trong sổ."
)
MISSING_EN: Final = (
    "Is a dose missing? It has not reached the book, or waits for a check because papers do not match. "
    "Take your paper to the facility that vaccinated you, or open a request in the book."
)
