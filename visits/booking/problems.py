"""What booking refuses."""

from kernel.problems import ProblemType, declare

SCHEDULE_UNKNOWN = declare(
    ProblemType(
        code="schedule-unknown",
        status=404,
        vi="Không có lịch khám này.",
        en="There is no such schedule.",
        next_vi="Tải lại danh sách lịch khám của cơ sở. Nếu đặt cho người thân mà không thấy lịch cần tìm,"
        " hãy gọi hoặc đến quầy của cơ sở.",
        next_en="Load the facility's schedules again. To book for somebody else where the schedule is not"
        " listed, call the facility or ask at its counter.",
    )
)
SCHEDULE_CLOSED = declare(
    ProblemType(
        code="schedule-closed",
        status=409,
        vi="Lịch khám này hiện không nhận đặt hẹn.",
        en="This schedule takes no appointments now.",
        next_vi="Chọn lịch khám khác của cơ sở, hoặc đợi đến ngày mở đặt hẹn.",
        next_en="Choose another schedule of the facility, or wait until it opens.",
    )
)
SCHEDULE_INVALID = declare(
    ProblemType(
        code="schedule-invalid",
        status=422,
        vi="Khoa hoặc người khám không thuộc cơ sở này.",
        en="This department or practitioner does not belong to the facility.",
        next_vi="Chọn khoa đang mở và người có vai trò còn hiệu lực tại cơ sở.",
        next_en="Choose an open department, and somebody with a role in force at the facility.",
    )
)
APPOINTMENT_UNKNOWN = declare(
    ProblemType(
        code="appointment-unknown",
        status=404,
        vi="Không có lịch hẹn này.",
        en="There is no such appointment.",
        next_vi="Tải lại danh sách lịch hẹn.",
        next_en="Load the list of appointments again.",
    )
)
APPOINTMENT_EXISTS = declare(
    ProblemType(
        code="appointment-exists",
        status=409,
        vi="Đã có lịch hẹn trong khung giờ này.",
        en="There is an appointment in this slot already.",
        next_vi="Xem lịch hẹn đang có; hủy lịch hẹn đó nếu muốn chọn giờ khác.",
        next_en="Look at that appointment; cancel it to choose another time.",
    )
)
REFERRAL_BOOKED = declare(
    ProblemType(
        code="referral-booked",
        status=409,
        vi="Phiếu chuyển này đã được dùng để đặt lịch hẹn.",
        en="This letter has booked its appointment already.",
        next_vi="Xem lịch hẹn đang có; hủy lịch hẹn đó nếu muốn chọn giờ khác.",
        next_en="Look at that appointment; cancel it to choose another time.",
    )
)
APPOINTMENT_LIMIT = declare(
    ProblemType(
        code="appointment-limit",
        status=409,
        vi="Bạn đang có quá nhiều lịch hẹn sắp tới cho người này.",
        en="You have too many appointments ahead for this person.",
        next_vi="Hủy một lịch hẹn không còn cần rồi đặt lại, hoặc đặt tại quầy của cơ sở.",
        next_en="Cancel one that is not needed, then book again, or ask at the facility's counter.",
    )
)
MISSED_OFTEN = declare(
    ProblemType(
        code="appointment-missed-often",
        status=409,
        vi="Bạn đã không đến nhiều lịch hẹn đã đặt tại cơ sở này.",
        en="You did not come to several appointments that you booked at this facility.",
        next_vi="Đến quầy hoặc gọi cơ sở để được xếp khám; 30 ngày sau lần vắng gần nhất bạn đặt được"
        " trên ứng dụng. Nếu bạn đã đến, đề nghị cơ sở ghi nhận lại.",
        next_en="Come to the counter or call the facility; 30 days after the latest one you can book here"
        " again. If you were there, ask the facility to correct it.",
    )
)
HOLD_OVER = declare(
    ProblemType(
        code="appointment-hold-over",
        status=409,
        vi="Thời gian giữ chỗ đã hết.",
        en="The place is not held any longer.",
        next_vi="Chọn lại khung giờ và xác nhận trong thời gian giữ chỗ.",
        next_en="Choose the slot again, and confirm while it is held.",
    )
)
APPOINTMENT_PRIVATE_OWN_ONLY = declare(
    ProblemType(
        code="appointment-private-own-only",
        status=422,
        vi="Chỉ chính người đi khám mới đặt được lịch hẹn riêng tư.",
        en="Only the person can make an appointment private.",
        next_vi="Bỏ lựa chọn riêng tư, hoặc để người đi khám tự đặt.",
        next_en="Leave it open, or let the person book alone.",
    )
)
APPOINTMENT_DAY_NOT_THERE = declare(
    ProblemType(
        code="appointment-day-not-there",
        status=409,
        vi="Chưa đến ngày hẹn.",
        en="The day of the appointment is not there yet.",
        next_vi="Ghi nhận đến hay vắng từ ngày hẹn trở đi.",
        next_en="Say who came, or stayed away, from the day on.",
    )
)
APPOINTMENT_DAY_OVER = declare(
    ProblemType(
        code="appointment-day-over",
        status=409,
        vi="Danh sách hẹn của ngày này không còn xem được: đã quá 30 ngày.",
        en="The appointments of this day are closed: it was more than 30 days ago.",
        next_vi="Lượt khám nằm trong hồ sơ của cơ sở. Chọn ngày khác.",
        next_en="Visits stand in the facility's records. Choose another day.",
    )
)
APPOINTMENT_NOT_BOOKED = declare(
    ProblemType(
        code="appointment-not-booked",
        status=409,
        vi="Lịch hẹn này chưa được đặt nên chưa có tệp lịch.",
        en="This appointment is not booked, so there is no calendar file of it.",
        next_vi="Xác nhận chỗ đang giữ, hoặc đợi đến lượt trong danh sách chờ.",
        next_en="Confirm the place that is held, or wait for one.",
    )
)
