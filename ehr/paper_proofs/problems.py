"""Why there is no paper."""

from kernel.problems import ProblemType, declare

PAPER_NOT_FOUND = declare(
    ProblemType(
        code="paper-not-found",
        status=404,
        vi="Không có giấy tờ này trong sổ.",
        en="There is no such paper in the book.",
        next_vi="Xem lại danh sách giấy tờ.",
        next_en="Look at the list of papers again.",
    )
)
