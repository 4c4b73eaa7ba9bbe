"""Why a registry officer's act is not taken."""

from kernel.problems import ProblemType, declare

NO_SUCH_ACT = declare(
    ProblemType(
        code="no-such-act",
        status=404,
        vi="Không có đề nghị này, hoặc đề nghị đã được quyết định hay quá hạn.",
        en="There is no such proposal, or it was decided or ran out.",
        next_vi="Tải lại danh sách đề nghị.",
        next_en="Load the list of proposals again.",
    )
)
NO_SUCH_PERSON = declare(
    ProblemType(
        code="no-such-person",
        status=404,
        vi="Không tìm thấy hồ sơ được nêu.",
        en="The named person was not found.",
        next_vi="Tra cứu lại bằng số trên giấy tờ.",
        next_en="Look the person up again by a number of a card.",
    )
)
OTHER_FACILITY_NEEDED = declare(
    ProblemType(
        code="other-facility-needed",
        status=403,
        vi="Đề nghị này cần cán bộ của một cơ sở khác xác nhận.",
        en="This proposal needs an officer of another facility.",
        next_vi="Đề nghị cán bộ quản lý định danh của cơ sở khác xem và xác nhận.",
        next_en="Ask a registry officer of another facility to look and confirm.",
    )
)
EVIDENCE_DOES_NOT_HOLD = declare(
    ProblemType(
        code="evidence-does-not-hold",
        status=409,
        vi="Ngày sinh, giới tính hoặc họ tên của hai hồ sơ không khớp.",
        en="Birth date, sex or name of the two records do not agree.",
        next_vi="Xem giấy tờ gốc và chọn bằng chứng là giấy tờ đã xem.",
        next_en="See the original papers and name them as the evidence.",
    )
)
NUMBER_OF_ANOTHER = declare(
    ProblemType(
        code="number-of-another",
        status=409,
        vi="Số này đang là của một hồ sơ khác.",
        en="Another record has this number.",
        next_vi="Nếu là cùng một người, hãy lập đề nghị gộp hồ sơ.",
        next_en="If it is one person, propose a merge.",
    )
)
NUMBER_NOT_OWN = declare(
    ProblemType(
        code="number-not-own",
        status=409,
        vi="Hồ sơ này không có số đó đang dùng.",
        en="The record has no such number in force.",
        next_vi="Kiểm tra lại số và loại giấy tờ.",
        next_en="Check the number and the kind of card.",
    )
)
