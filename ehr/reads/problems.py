"""What reading can be refused for."""

from kernel.problems import ProblemType, declare

CURSOR_EXPIRED = declare(
    ProblemType(
        code="cursor-expired",
        status=410,
        vi="Mốc đồng bộ đã hết hiệu lực.",
        en="The sync cursor is no longer valid.",
        next_vi="Tải lại toàn bộ sổ.",
        next_en="Load the whole book again, without since.",
    )
)
