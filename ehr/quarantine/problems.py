"""What those who work off the quarantine can be refused."""

from kernel.problems import ProblemType, declare

NOT_WAITING = declare(
    ProblemType(
        code="not-waiting",
        status=404,
        vi="Không có mục nào đang chờ với mã này.",
        en="Nothing waits under this id.",
        next_vi="Tải lại danh sách: mục này có thể đã được xử lý hoặc gửi lại.",
        next_en="Load the list again: it may have been worked off or sent again.",
    )
)
NOT_A_CANDIDATE = declare(
    ProblemType(
        code="not-a-candidate",
        status=409,
        vi="Người này không có số định danh nào trong gói hồ sơ.",
        en="This person has none of the numbers of the unit.",
        next_vi="Chọn một người được nêu khi đối chiếu, hoặc trả lại nơi gửi.",
        next_en="Choose a person that the comparison names, or return it to its sender.",
    )
)
SECOND_OFFICER_NEEDED = declare(
    ProblemType(
        code="second-officer-needed",
        status=409,
        vi="Cần một cán bộ khác, ở cơ sở khác, xác nhận.",
        en="Another officer, of another facility, has to agree.",
        next_vi="Đề nghị cán bộ ở cơ sở khác xác nhận cùng một người.",
        next_en="Ask an officer of another facility to choose the same person.",
    )
)
UNIT_NOT_PLACED = declare(
    ProblemType(
        code="unit-not-placed",
        status=409,
        vi="Chưa xác định được người của gói hồ sơ chứa dòng này.",
        en="It is not known yet whose unit this line belongs to.",
        next_vi="Chờ gói hồ sơ được xử lý xong rồi thử lại.",
        next_en="Wait until the unit is resolved, then try again.",
    )
)
