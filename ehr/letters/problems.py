"""Why there is no letter, and why none is booked by it."""

from kernel.problems import ProblemType, declare

LETTER_NOT_FOUND = declare(
    ProblemType(
        code="letter-not-found",
        status=404,
        vi="Không có phiếu này trong sổ.",
        en="There is no such letter in the book.",
        next_vi="Xem lại danh sách phiếu hẹn và phiếu chuyển.",
        next_en="Look at the list of letters again.",
    )
)
LETTER_BOOKS_NOTHING = declare(
    ProblemType(
        code="letter-books-nothing",
        status=409,
        vi="Không đặt lịch được bằng phiếu này: chỉ phiếu chuyển đến cơ sở dùng dịch vụ này mới đặt được.",
        en="No visit is booked by this letter: only by a referral to a facility that is here.",
        next_vi="Mang phiếu đến nơi ghi trên phiếu, hoặc gọi cho nơi đó.",
        next_en="Take the letter to the place that it names, or call there.",
    )
)
LETTER_USED = declare(
    ProblemType(
        code="letter-used",
        status=409,
        vi="Phiếu chuyển này đã được dùng.",
        en="This referral was used.",
        next_vi="Xem lịch khám đã đặt, hoặc hủy lịch đó để đặt lại.",
        next_en="Look at the visit that was booked, or cancel it to book another.",
    )
)
LETTER_EXPIRED = declare(
    ProblemType(
        code="letter-expired",
        status=409,
        vi="Phiếu chuyển này đã hết hạn, hoặc hết hạn trước ngày bạn chọn.",
        en="This referral has expired, or does so before the day you chose.",
        next_vi="Chọn ngày sớm hơn, hoặc xin nơi chuyển cấp phiếu mới.",
        next_en="Choose an earlier day, or ask the place that issued it for a new one.",
    )
)
