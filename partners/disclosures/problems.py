"""What is refused of a partner's message."""

from kernel.problems import ProblemType, declare

MESSAGE_REUSED = declare(
    ProblemType(
        code="message-reused",
        status=422,
        vi="Mã thông điệp này đã dùng cho một yêu cầu khác.",
        en="This msg_id was used for another request.",
        next_vi="Gửi yêu cầu mới với một msg_id mới.",
        next_en="Send a new request with a new msg_id.",
    )
)
UNKNOWN_ENCOUNTER = declare(
    ProblemType(
        code="encounter-unknown",
        status=404,
        vi="Không có lượt khám này.",
        en="There is no such encounter.",
        next_vi="Lấy lại danh sách lượt khám.",
        next_en="Ask for the list of encounters again.",
    )
)
