"""What requests about one's own data refuse."""

from kernel.problems import ProblemType, declare

UNKNOWN_RIGHTS_REQUEST = declare(
    ProblemType(
        code="rights-request-unknown",
        status=404,
        vi="Không có yêu cầu này.",
        en="There is no such request.",
        next_vi="Tải lại danh sách yêu cầu.",
        next_en="Load the list of requests again.",
    )
)
RIGHTS_REQUEST_OVER = declare(
    ProblemType(
        code="rights-request-over",
        status=409,
        vi="Yêu cầu này đã kết thúc hoặc đã được gia hạn.",
        en="This request is over, or was extended before.",
        next_vi="Tải lại danh sách; nếu cần, gửi yêu cầu mới.",
        next_en="Load the list again; make a new request if one is needed.",
    )
)
ERASURE_WAITS = declare(
    ProblemType(
        code="erasure-waiting",
        status=409,
        vi="Bạn đã yêu cầu xóa hồ sơ; yêu cầu đang chờ.",
        en="You asked for your record to be erased already; that waits.",
        next_vi="Chờ đến ngày đã báo, hoặc hủy yêu cầu.",
        next_en="Wait for the day you were told, or cancel it.",
    )
)
NO_ERASURE = declare(
    ProblemType(
        code="erasure-unknown",
        status=404,
        vi="Không có yêu cầu xóa hồ sơ nào đang chờ.",
        en="No erasure is waiting.",
        next_vi="Không cần làm gì.",
        next_en="There is nothing to do.",
    )
)
UNKNOWN_BREACH = declare(
    ProblemType(
        code="breach-unknown",
        status=404,
        vi="Không có sự cố này.",
        en="There is no such breach.",
        next_vi="Tải lại danh sách sự cố.",
        next_en="Load the list of breaches again.",
    )
)
