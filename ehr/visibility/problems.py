"""What hiding and releasing can be refused for."""

from kernel.problems import ProblemType, declare

NOT_IN_BOOK = declare(
    ProblemType(
        code="not-in-book",
        status=404,
        vi="Sổ không có mục này.",
        en="The book has no such entry.",
        next_vi="Tải lại sổ và chọn lại mục.",
        next_en="Load the book again and choose the entry.",
    )
)
UNKNOWN_HIDING = declare(
    ProblemType(
        code="unknown-hiding",
        status=404,
        vi="Không có mục ẩn này.",
        en="There is no such hiding.",
        next_vi="Tải lại danh sách mục đã ẩn.",
        next_en="Load the list of hidden entries again.",
    )
)
TOO_MANY_HIDINGS = declare(
    ProblemType(
        code="too-many-hidings",
        status=409,
        vi="Sổ đã có quá nhiều mục ẩn.",
        en="The book has too many hidden entries.",
        next_vi="Bỏ ẩn mục không còn cần ẩn rồi thử lại.",
        next_en="Show entries again that need not be hidden, then try again.",
    )
)
