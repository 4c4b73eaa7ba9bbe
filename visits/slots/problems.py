"""What slots refuse."""

from kernel.problems import ProblemType, declare

SLOT_UNKNOWN = declare(
    ProblemType(
        code="slot-unknown",
        status=404,
        vi="Không có khung giờ này.",
        en="There is no such time slot.",
        next_vi="Tải lại danh sách khung giờ.",
        next_en="Load the list of slots again.",
    )
)
SLOT_OVER = declare(
    ProblemType(
        code="slot-over",
        status=409,
        vi="Khung giờ này đã bắt đầu hoặc không nhận đăng ký nữa.",
        en="This slot has begun, or takes nobody any more.",
        next_vi="Chọn khung giờ khác.",
        next_en="Choose another slot.",
    )
)
SLOT_FULL = declare(
    ProblemType(
        code="slot-full",
        status=409,
        vi="Khung giờ này đã hết chỗ.",
        en="This slot has no place left.",
        next_vi="Chọn khung giờ khác, hoặc đăng ký vào danh sách chờ nếu còn nhận.",
        next_en="Choose another slot, or ask for the waiting list where it still takes people.",
    )
)
SLOT_INVALID = declare(
    ProblemType(
        code="slot-invalid",
        status=422,
        vi="Khung giờ không hợp lệ.",
        en="This is not a slot that can be made.",
        next_vi="Giờ bắt đầu phải ở phía trước, trong vòng một năm; mỗi khung dài nhất một ngày; tối đa 500"
        " khung mỗi đợt hoặc mỗi lịch; số chỗ không ít hơn số người đã có chỗ.",
        next_en="It begins ahead, within a year, and lasts a day at most; 500 slots of one campaign or"
        " schedule; no fewer places than are taken.",
    )
)
BOOKING_STATE = declare(
    ProblemType(
        code="booking-state",
        status=409,
        vi="Đăng ký hoặc lịch hẹn này đang ở bước không làm được việc này.",
        en="This registration or appointment is at a step that does not allow this.",
        next_vi="Tải lại để xem bước hiện tại.",
        next_en="Load it again to see where it stands.",
    )
)
