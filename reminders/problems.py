"""What a change of a reminder can be refused for."""

from kernel.problems import ProblemType, declare

NO_SUCH_REMINDER = declare(
    ProblemType(
        code="no-such-reminder",
        status=404,
        vi="Không có lời nhắc này.",
        en="There is no such reminder.",
        next_vi="Xem danh sách lời nhắc.",
        next_en="Read the list of reminders.",
    )
)
PLAN_CHANGED = declare(
    ProblemType(
        code="reminder-plan-changed",
        status=409,
        vi="Lịch nhắc đã thay đổi.",
        en="The plan of reminders has changed.",
        next_vi="Tải lại lịch nhắc rồi đặt lại báo thức.",
        next_en="Read the plan again and set the alarms anew.",
    )
)
REMINDER_NOT_OPEN = declare(
    ProblemType(
        code="reminder-not-open",
        status=409,
        vi="Lời nhắc này đã kết thúc, hoặc thuốc không dùng hằng ngày nên chưa đặt giờ được.",
        en="This reminder has ended, or the medicine is not taken daily, so that no times can be set.",
        next_vi="Hỏi bác sĩ hoặc dược sĩ cách dùng thuốc này.",
        next_en="Ask a doctor or pharmacist how this medicine is taken.",
    )
)
