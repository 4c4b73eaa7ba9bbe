"""What a manual entry can be refused for."""

from kernel.problems import ProblemType, declare

ENTRY_INVALID = declare(
    ProblemType(
        code="entry-invalid",
        status=422,
        vi="Một số ô của phiếu nhập chưa đúng.",
        en="Some fields of the entry are wrong.",
        next_vi="Sửa các ô được nêu trong errors rồi gửi lại.",
        next_en="Correct the fields named in errors and send it again.",
    )
)
ENTRY_NOT_FOUND = declare(
    ProblemType(
        code="entry-not-found",
        status=404,
        vi="Cơ sở của bạn không có phiếu nhập này.",
        en="Your facility has no such entry.",
        next_vi="Kiểm tra lại mã phiếu.",
        next_en="Check the entry id.",
    )
)
ENTRY_WITHDRAWN = declare(
    ProblemType(
        code="entry-withdrawn",
        status=409,
        vi="Phiếu nhập này đã được rút lại.",
        en="This entry was withdrawn.",
        next_vi="Lập phiếu mới.",
        next_en="Make a new entry.",
    )
)
ENTRY_CLINICAL = declare(
    ProblemType(
        code="entry-clinical",
        status=403,
        vi="Phần chuyên môn do bác sĩ hoặc điều dưỡng nhập.",
        en="The clinical part is entered by a doctor or a nurse.",
        next_vi="Nhờ bác sĩ hoặc điều dưỡng của cơ sở nhập hoặc sửa phiếu này.",
        next_en="Ask a doctor or a nurse of the facility to make or change this entry.",
    )
)
