"""Why a visit is not kept from the family."""

from kernel.problems import ProblemType, declare

VISIT_UNKNOWN = declare(
    ProblemType(
        code="visit-unknown",
        status=404,
        vi="Không có lần tiếp đón hay lịch hẹn này.",
        en="There is no such check-in or appointment.",
        next_vi="Tải lại danh sách lượt đến và lịch hẹn.",
        next_en="Load the list of check-ins and appointments again.",
    )
)
TOO_MANY_KEPT = declare(
    ProblemType(
        code="too-many-kept",
        status=409,
        vi="Đã giữ kín quá nhiều lượt đến và lịch hẹn.",
        en="Too many check-ins and appointments are kept from the family.",
        next_vi="Bỏ giữ kín những lượt đã cũ rồi thử lại.",
        next_en="Show old ones again, then try again.",
    )
)
