"""What people read in the vaccination book."""

from typing import Final

from ehr.reads.models import Notice
from vaccination.book.models import DoseState, GoneReason

GONE: Final[dict[GoneReason, Notice]] = {
    "replaced": Notice(
        vi="Cơ sở đã gửi lại mũi tiêm này; bản mới thay cho bản cũ.",
        en="The facility sent this dose anew; the new entry stands for the old one.",
    ),
    "retracted": Notice(
        vi="Cơ sở gửi dữ liệu đã rút mũi tiêm này. Nếu bạn đã tiêm, hãy yêu cầu cơ sở gửi lại.",
        en="Its sender took this dose back. If you were given it, ask the facility to send it again.",
    ),
    "reverted": Notice(
        vi="Dữ liệu của nguồn gửi này đã bị thu hồi. Nếu bạn đã tiêm, hãy yêu cầu cơ sở gửi lại.",
        en="What its sender wrote was taken back. If you were given it, ask the facility to send it again.",
    ),
    "entered-in-error": Notice(
        vi="Cơ sở cho biết mũi tiêm này ghi nhầm.",
        en="The facility says that this dose was entered in error.",
    ),
    "not-mine": Notice(
        vi="Bạn đã báo mũi tiêm này không phải của bạn.",
        en="You said that this dose is not yours.",
    ),
}

STATE_VI: Final[dict[DoseState, str]] = {
    "verified": "cơ sở xác nhận",
    "self-declared": "tự khai, chưa xác nhận",
    "being-corrected": "đang đề nghị đính chính",
}

FOOT: Final = (
    "Mỗi mũi ghi nơi gửi và tình trạng: cơ sở xác nhận, tự khai hoặc đang đề nghị đính chính. "
    "Bản in này không thay cho giấy xác nhận có mã của cơ sở."
)

# The schedule decides what is enough; on paper nobody has it beside the book.
NOT_THE_SCHEDULE: Final = (
    "Mũi tiêm sớm hơn tuổi hoặc khoảng cách tối thiểu vẫn có ở đây: số mũi không cho biết đã đủ hay chưa. "
    "Xem lịch tiêm chủng trong ứng dụng."
)
