"""What is refused where a person lets a client in."""

from kernel.problems import ProblemType, declare

APP_REQUEST_UNKNOWN = declare(
    ProblemType(
        code="app-request-unknown",
        status=404,
        vi="Không có yêu cầu kết nối này, hoặc yêu cầu đã hết hạn.",
        en="There is no such request to connect, or it has ended.",
        next_vi="Mở lại trang kết nối của ứng dụng để lấy mã mới.",
        next_en="Open the app's page again to get a new code.",
    )
)
CHOICE_NOT_OFFERED = declare(
    ProblemType(
        code="app-choice-not-offered",
        status=422,
        vi="Mục hoặc thời hạn đã chọn không có trong yêu cầu này.",
        en="What was chosen is not offered by this request.",
        next_vi="Chọn trong những mục và thời hạn được nêu.",
        next_en="Choose among the parts and the lengths of time that are named.",
    )
)
