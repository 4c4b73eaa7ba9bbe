"""What the word that an alert was seen can be refused for."""

from kernel.problems import ProblemType, declare

NO_SUCH_ALERT = declare(
    ProblemType(
        code="no-such-alert",
        status=404,
        vi="Không có cảnh báo này.",
        en="There is no such alert.",
        next_vi="Xem danh sách cảnh báo.",
        next_en="Read the list of alerts.",
    )
)
SNOOZE_TOO_LONG = declare(
    ProblemType(
        code="alert-snooze-too-long",
        status=422,
        vi="Không thể tắt tiếng cảnh báo này lâu như vậy.",
        en="This alert cannot stay silent for so long.",
        next_vi="Chọn tối đa 1 giờ với báo động, 4 giờ với cảnh báo.",
        next_en="Choose at most an hour for a critical one, 4 hours for a warning.",
    )
)
ALERT_WORSENED = declare(
    ProblemType(
        code="alert-worsened",
        status=409,
        vi="Cảnh báo này vừa trở thành báo động.",
        en="This alert has become critical meanwhile.",
        next_vi="Xem lại cảnh báo rồi xác nhận lại.",
        next_en="Look at the alert again, then say that it was seen.",
    )
)
