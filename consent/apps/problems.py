"""What is refused where apps and partners are let in."""

from kernel.problems import ProblemType, declare

UNKNOWN_CONNECTED_APP = declare(
    ProblemType(
        code="connected-app-unknown",
        status=404,
        vi="Không có ứng dụng kết nối này.",
        en="There is no such connected app.",
        next_vi="Tải lại danh sách ứng dụng đã kết nối.",
        next_en="Load the list of connected apps again.",
    )
)
BEYOND_CLIENT = declare(
    ProblemType(
        code="beyond-client",
        status=422,
        vi="Ứng dụng này không được nhận những mục đó.",
        en="This app may not be given these parts.",
        next_vi="Chọn lại trong những mục được nêu cho ứng dụng.",
        next_en="Choose among what is offered for the app.",
    )
)
BEYOND_CONSENT = declare(
    ProblemType(
        code="beyond-consent",
        status=403,
        vi="Người dân không đồng ý cho phần này.",
        en="The person did not agree to this part.",
        next_vi="Chỉ hỏi những phần đã được đồng ý, hoặc xin đồng ý lại.",
        next_en="Ask for what was agreed to, or ask the person again.",
    )
)
