"""What wishes refuse."""

from kernel.problems import ProblemType, declare

UNKNOWN_WISH = declare(
    ProblemType(
        code="wish-unknown",
        status=404,
        vi="Không có nguyện vọng này.",
        en="There is no such wish.",
        next_vi="Tải lại danh sách nguyện vọng.",
        next_en="Load the list of wishes again.",
    )
)
WISH_EMPTY = declare(
    ProblemType(
        code="wish-empty",
        status=400,
        vi="Nguyện vọng chưa có nội dung phù hợp.",
        en="The wish does not say what its kind needs.",
        next_vi="Hiến tạng: chọn có, không hoặc chưa quyết. Các loại khác: viết nội dung.",
        next_en="Organ donation: choose yes, no or undecided. The others: write it down.",
    )
)
