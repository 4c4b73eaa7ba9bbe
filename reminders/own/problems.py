"""What a reminder of one's own can be refused for."""

from kernel.problems import ProblemType, declare

OWN_REMINDER_INVALID = declare(
    ProblemType(
        code="own-reminder-invalid",
        status=422,
        vi="Lời nhắc này thiếu hoặc sai nội dung.",
        en="This reminder lacks something, or says what cannot be.",
        next_vi="Ghi nội dung hoặc chọn phép đo; chọn ngày còn ở phía trước. Muốn đổi phép đo, hãy tạo lời"
        " nhắc mới.",
        next_en="Write words or choose a measurement; choose days that lie ahead. For another measurement,"
        " make a new reminder.",
    )
)
OWN_REMINDERS_TOO_MANY = declare(
    ProblemType(
        code="own-reminders-too-many",
        status=409,
        vi="Đã có đủ số lời nhắc tự đặt.",
        en="There are as many reminders of one's own as there can be.",
        next_vi="Xóa một lời nhắc không dùng nữa.",
        next_en="Delete one that is not needed any more.",
    )
)
OWN_REMINDER_WITHHELD = declare(
    ProblemType(
        code="own-reminder-withheld",
        status=422,
        vi="Nội dung này không ghi được vào đây.",
        en="These words are not kept here.",
        next_vi="Viết lại ngắn gọn, không nêu bệnh hay thông tin nhạy cảm.",
        next_en="Say it shortly, without a disease or anything sensitive.",
    )
)
PRIVATE_REMINDER_OWN_ONLY = declare(
    ProblemType(
        code="private-reminder-own-only",
        status=422,
        vi="Chỉ chính người có sổ đặt được lời nhắc riêng.",
        en="Only the person whose book it is makes a reminder that relatives do not see.",
        next_vi="Bỏ chọn riêng tư.",
        next_en="Make it without that mark.",
    )
)
