"""Why a stay is not written down."""

from kernel.problems import ProblemType, declare

STAY_UNKNOWN = declare(
    ProblemType(
        code="stay-unknown",
        status=404,
        vi="Không có lượt lưu trú này tại cơ sở của bạn.",
        en="Your facility has no such stay.",
        next_vi="Tải lại danh sách lưu trú trong ngày.",
        next_en="Load the stays of the day again.",
    )
)
STAY_ENDED = declare(
    ProblemType(
        code="stay-ended",
        status=409,
        vi="Lượt lưu trú này đã kết thúc.",
        en="This stay has ended.",
        next_vi="Nếu người bệnh đã chuyển phòng, dùng dòng của phòng mới; nếu vào lại, ghi một lượt lưu trú"
        " mới.",
        next_en="If the person changed rooms, use the line of the new room; if they came back, write down a"
        " new stay.",
    )
)
STAY_INVALID = declare(
    ProblemType(
        code="stay-invalid",
        status=400,
        vi="Thời gian hoặc số giấy tờ của lượt lưu trú không hợp lệ.",
        en="The times or the number of this stay are not valid.",
        next_vi="Sửa mục được nêu: số giấy tờ phải đi cùng loại giấy tờ, giờ vào trong 7 ngày qua, giờ ra sau"
        " giờ vào, giờ chuyển phòng trước giờ ra.",
        next_en="Correct the field that is named: a number goes with its kind, the arrival lies within the"
        " last 7 days, leaving is after it, another room before leaving.",
    )
)
