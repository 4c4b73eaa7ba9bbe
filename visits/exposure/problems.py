"""What lists of who was at a facility refuse."""

from kernel.problems import ProblemType, declare

EXPOSURE_NOT_ALLOWED = declare(
    ProblemType(
        code="exposure-not-allowed",
        status=403,
        vi="Không được lập danh sách này: thiếu căn cứ pháp lý, sai cơ sở, sai khoảng giờ,"
        " hoặc người duyệt chính là người đề nghị.",
        en="This list may not be made: no legal basis, not this facility, not these hours, or approved by"
        " whoever asked for it.",
        next_vi="Xem mục được nêu: một cơ sở không thuộc chuyên khoa nhạy cảm, tối đa 72 giờ tròn"
        " đã qua trong 30 ngày gần đây, có căn cứ, và một người khác duyệt.",
        next_en="Look at the field that is named: one facility that is not sensitive as a whole, at most 72"
        " whole hours, past and of the last 30 days, a legal basis, and somebody else's approval.",
    )
)
EXPOSURE_UNKNOWN = declare(
    ProblemType(
        code="exposure-list-unknown",
        status=404,
        vi="Không có danh sách này, hoặc bạn không phải người đề nghị hay người duyệt.",
        en="There is no such list, or you neither asked for it nor approved it.",
        next_vi="Tải lại các danh sách.",
        next_en="Load the lists again.",
    )
)
EXPOSURE_STATE = declare(
    ProblemType(
        code="exposure-list-state",
        status=409,
        vi="Danh sách chưa được lập xong, đã được quyết định, hoặc đã quá hạn duyệt.",
        en="The list is not made yet, is decided already, or waited too long for its approval.",
        next_vi="Tải lại danh sách; nếu đã quá hạn duyệt thì đề nghị lại.",
        next_en="Load it again; where its approval came too late, ask for it anew.",
    )
)
EXPOSURE_ENDED = declare(
    ProblemType(
        code="exposure-list-ended",
        status=410,
        vi="Danh sách đã hết hạn xem và đã được xóa.",
        en="The list has expired and is gone.",
        next_vi="Nếu vẫn cần, đề nghị lại với căn cứ hiện hành.",
        next_en="If it is still needed, ask for it anew with a basis in force.",
    )
)
