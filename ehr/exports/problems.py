"""What keeps an export from being made."""

from kernel.problems import ProblemType, declare

EXPORT_BUSY = declare(
    ProblemType(
        code="export-busy",
        status=429,
        vi="Đang có một bản xuất khác được làm.",
        en="Another export is being made.",
        next_vi="Đợi ít giây rồi thử lại.",
        next_en="Wait a few seconds and try again.",
        retryable=True,
    )
)
EXPORT_OVERTAKEN = declare(
    ProblemType(
        code="export-overtaken",
        status=409,
        vi="Sổ vừa thay đổi trong lúc tệp được làm.",
        en="The book changed while the file was being made.",
        next_vi="Thử lại để nhận bản mới.",
        next_en="Try again for a file of what it says now.",
        retryable=True,
    )
)
CONTENT_TOO_LARGE = declare(
    ProblemType(
        code="content-too-large",
        status=422,
        vi="Tài liệu này quá lớn để tải về từ đây.",
        en="This document is too large to be passed on.",
        next_vi="Xin tài liệu tại nơi đã lập.",
        next_en="Ask for it where it was made.",
    )
)
EXPORT_TOO_LARGE = declare(
    ProblemType(
        code="export-too-large",
        status=422,
        vi="Sổ quá lớn để xuất thành một tệp.",
        en="The book is too large for one file.",
        next_vi="Liên hệ tổng đài để nhận sổ theo từng phần.",
        next_en="Ask the hotline for the book in parts.",
    )
)
