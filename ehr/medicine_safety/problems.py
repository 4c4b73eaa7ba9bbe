"""What a word on a finding can be refused for."""

from kernel.problems import ProblemType, declare

NO_SUCH_FINDING = declare(
    ProblemType(
        code="no-such-finding",
        status=404,
        vi="Không có lưu ý thuốc này, hoặc các thuốc trong đó đã thay đổi.",
        en="There is no such finding, or the medicines in it have changed.",
        next_vi="Mở lại danh sách lưu ý thuốc.",
        next_en="Read the list of findings again.",
    )
)
