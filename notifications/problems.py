"""The refusals of notifications."""

from kernel.problems import ProblemType, declare

NO_DEVICE_OF_SESSION = declare(
    ProblemType(
        code="no-device",
        status=409,
        vi="Phiên đăng nhập này không gắn với thiết bị nào.",
        en="This session belongs to no device.",
        next_vi="Đăng ký thiết bị trước khi nhận thông báo.",
        next_en="Enrol the device before it can receive notices.",
    )
)
UNKNOWN_NOTIFICATION = declare(
    ProblemType(
        code="notification-unknown",
        status=404,
        vi="Không có thông báo này.",
        en="There is no such notice.",
        next_vi="Tải lại hộp thư.",
        next_en="Load the inbox again.",
    )
)
PREFERENCE_UNKNOWN = declare(
    ProblemType(
        code="preference-unknown",
        status=422,
        vi="Không có lựa chọn này cho thông báo.",
        en="There is no such choice for notices.",
        next_vi="Tải lại danh sách lựa chọn; thông báo về an ninh và xin xem sổ không tắt được.",
        next_en="Load the choices again; notices about security and requests can't be switched off.",
    )
)
