"""What opening pictures can be refused for."""

from kernel.problems import ProblemType, declare

NO_VIEWER = declare(
    ProblemType(
        code="no-viewer",
        status=404,
        vi="Không mở được ảnh này ở máy chủ của cơ sở.",
        en="The pictures of this study cannot be opened at its facility.",
        next_vi="Hỏi cơ sở đã chụp.",
        next_en="Ask the facility that made them.",
    )
)
TICKET_ENDED = declare(
    ProblemType(
        code="viewer-ticket-ended",
        status=410,
        vi="Đường mở ảnh đã hết hiệu lực.",
        en="This way to the pictures has ended.",
        next_vi="Quay lại ứng dụng và mở ảnh lần nữa.",
        next_en="Go back to the app and open the pictures again.",
    )
)
