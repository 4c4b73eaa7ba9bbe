"""Why a check-in or a check-out is not what was hoped for, and what to do."""

from kernel.problems import ProblemType, declare

CODE_SPENT = declare(
    ProblemType(
        code="code-spent",
        status=409,
        vi="Mã này vừa được quét ở một cơ sở khác.",
        en="This code was scanned at another facility just now.",
        next_vi="Nhờ người bệnh mở mã mới trên điện thoại rồi quét lại.",
        next_en="Ask the person to open a fresh code on the phone, and scan that.",
    )
)
NOT_CHECKED_IN = declare(
    ProblemType(
        code="not-checked-in",
        status=409,
        vi="Hiện không có lượt tiếp đón nào đang mở tại cơ sở này.",
        en="There is no open check-in at this facility.",
        next_vi="Kiểm tra lại đúng cơ sở đã đến; nếu đã ra về thì không cần làm gì thêm.",
        next_en="Check that this is the facility where you came in; if you left already, nothing is to do.",
    )
)
CHECK_IN_UNKNOWN = declare(
    ProblemType(
        code="check-in-unknown",
        status=404,
        vi="Không có lượt tiếp đón này.",
        en="There is no such check-in.",
        next_vi="Tải lại danh sách lượt tiếp đón.",
        next_en="Load the list of check-ins again.",
    )
)
OWN_PRESENCE = declare(
    ProblemType(
        code="own-presence",
        status=403,
        vi="Chỉ chính người bệnh hoặc quầy tiếp đón kết thúc được lượt này.",
        en="Only the person, or the desk, ends this check-in.",
        next_vi="Nhờ người bệnh quét mã khi ra về, hoặc báo quầy tiếp đón.",
        next_en="Let the person scan the code on leaving, or tell the desk.",
    )
)
