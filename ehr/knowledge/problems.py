"""What a question for an article can be refused for."""

from kernel.problems import ProblemType, declare

NO_SUCH_ARTICLE = declare(
    ProblemType(
        code="no-such-article",
        status=404,
        vi="Không có bài này.",
        en="There is no such article.",
        next_vi="Xem danh sách bài tại /v1/me/articles.",
        next_en="/v1/me/articles lists the articles that there are.",
    )
)
