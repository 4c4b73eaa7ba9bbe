"""What a question for an article can be refused for."""

from kernel.problems import ProblemType, declare

NO_SUCH_ARTICLE = declare(
    ProblemType(
        code="no-such-article",
        status=404,
        vi="Không có bài này.",
        en="There is no such article.",
        next_vi="Tải lại danh sách bài rồi chọn lại.",
        next_en="Load the list of articles again and choose another.",
    )
)
