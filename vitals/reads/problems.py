"""Why there is nothing to read."""

from kernel.problems import ProblemType, declare

KIND_NOT_KNOWN = declare(
    ProblemType(
        code="vital-kind-unknown",
        status=404,
        vi="Không có loại chỉ số này.",
        en="There is no such kind of measurement.",
        next_vi="Dùng tên loại như trong danh sách chỉ số mới nhất.",
        next_en="Use a kind as the latest values name it.",
    )
)
