"""What reading costs refuses."""

from kernel.problems import ProblemType, declare

UNKNOWN_VISIT = declare(
    ProblemType(
        code="no-such-visit",
        status=404,
        vi="Không tìm thấy lượt khám này.",
        en="There is no such visit.",
        next_vi="Mở lại danh sách lượt khám.",
        next_en="Open the list of visits again.",
    )
)
