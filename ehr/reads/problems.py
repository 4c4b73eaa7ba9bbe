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
NO_SUCH_ENTRY = declare(
    ProblemType(
        code="no-such-entry",
        status=404,
        vi="Sổ không có mục này.",
        en="The book has no such entry.",
        next_vi="Hãy xem lại danh sách; mục có thể đã được sửa hoặc rút lại.",
        next_en="Read the list again; the entry may have been corrected or taken back.",
    )
)
