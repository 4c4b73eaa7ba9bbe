"""What registrations refuse."""

from kernel.problems import ProblemType, declare

CAMPAIGN_UNKNOWN = declare(
    ProblemType(
        code="campaign-unknown",
        status=404,
        vi="Không có đợt tiêm này.",
        en="There is no such campaign.",
        next_vi="Tải lại danh sách các đợt tiêm.",
        next_en="Load the list of campaigns again.",
    )
)
CAMPAIGN_CLOSED = declare(
    ProblemType(
        code="campaign-closed",
        status=409,
        vi="Đợt tiêm này chưa mở hoặc đã đóng đăng ký.",
        en="This campaign takes no registrations now.",
        next_vi="Xem thời gian đăng ký của đợt tiêm, hoặc chọn đợt khác.",
        next_en="Look at its registration times, or choose another campaign.",
    )
)
CAMPAIGN_INVALID = declare(
    ProblemType(
        code="campaign-invalid",
        status=422,
        vi="Thông tin đợt tiêm không hợp lệ.",
        en="The campaign does not hold together.",
        next_vi="Sửa mục được nêu rồi gửi lại.",
        next_en="Correct the field that is named and send it again.",
    )
)
REGISTRATION_UNKNOWN = declare(
    ProblemType(
        code="vaccination-registration-unknown",
        status=404,
        vi="Không có đăng ký tiêm này.",
        en="There is no such registration.",
        next_vi="Tải lại danh sách đăng ký tiêm.",
        next_en="Load the list of registrations again.",
    )
)
REGISTRATION_EXISTS = declare(
    ProblemType(
        code="vaccination-registered",
        status=409,
        vi="Người này đã đăng ký đợt tiêm này.",
        en="This person is registered for the campaign already.",
        next_vi="Xem đăng ký đang có; hủy đăng ký đó nếu muốn chọn giờ khác.",
        next_en="Look at that registration; cancel it to choose another time.",
    )
)
DAY_NOT_THERE = declare(
    ProblemType(
        code="vaccination-day-not-there",
        status=409,
        vi="Chưa đến ngày của khung giờ đã đăng ký.",
        en="The day of the registered slot is not there yet.",
        next_vi="Ghi nhận người đến tiêm từ ngày của khung giờ. Nếu đến sớm, đổi sang khung giờ của hôm nay.",
        next_en="Note who came from the day of the slot on. Who comes early is moved to a slot of today.",
    )
)
NOT_ELIGIBLE = declare(
    ProblemType(
        code="vaccination-not-eligible",
        status=422,
        vi="Đợt tiêm này không dành cho tuổi hoặc giới tính của người được đăng ký vào ngày đó.",
        en="On that day the person is not of the age or sex that the campaign is for.",
        next_vi="Kiểm tra ngày sinh trong sổ, chọn ngày khác hoặc đợt tiêm khác, hoặc hỏi cơ sở tiêm.",
        next_en="Check the birth date in the book, choose another day or campaign, or ask the facility.",
    )
)
NOT_TAKEN = declare(
    ProblemType(
        code="vaccination-registration-not-taken",
        status=409,
        vi="Không đăng ký hộ được cho người này.",
        en="This person cannot be registered by somebody else here.",
        next_vi="Người được tiêm tự đăng ký, hoặc đến hỏi cơ sở tiêm.",
        next_en="The person registers alone, or asks the facility.",
    )
)
SCREENING_INCOMPLETE = declare(
    ProblemType(
        code="screening-incomplete",
        status=422,
        vi="Chưa trả lời đủ các câu hỏi trước tiêm.",
        en="The questions before a vaccination are not all answered once.",
        next_vi="Trả lời mỗi câu một lần: có, không, hoặc không rõ.",
        next_en="Answer each once: yes, no or unknown.",
    )
)
SCREENING_WITHHELD = declare(
    ProblemType(
        code="screening-withheld",
        status=422,
        vi="Nội dung ghi chú này không được lưu ở đây theo quy định hiện hành.",
        en="The rules in force keep such a note out of here.",
        next_vi="Bỏ ghi chú và nói trực tiếp với người khám sàng lọc.",
        next_en="Leave the note out and speak with whoever examines.",
    )
)
PRIVATE_OWN_ONLY = declare(
    ProblemType(
        code="registration-private-own-only",
        status=422,
        vi="Chỉ chính người được tiêm mới đặt được đăng ký riêng tư.",
        en="Only the person can make a registration private.",
        next_vi="Bỏ lựa chọn riêng tư, hoặc để người được tiêm tự đăng ký.",
        next_en="Leave it open, or let the person register alone.",
    )
)
DAY_OVER = declare(
    ProblemType(
        code="vaccination-day-over",
        status=409,
        vi="Danh sách của ngày này không còn xem được: đã quá 30 ngày.",
        en="The list of this day is closed: it was more than 30 days ago.",
        next_vi="Mũi đã tiêm nằm trong hồ sơ của cơ sở. Chọn ngày khác.",
        next_en="Doses that were given stand in the facility's records. Choose another day.",
    )
)
