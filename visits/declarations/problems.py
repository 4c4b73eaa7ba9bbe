"""What forms and declarations refuse."""

from kernel.problems import ProblemType, declare

FORM_UNKNOWN = declare(
    ProblemType(
        code="declaration-form-unknown",
        status=404,
        vi="Không có mẫu khai này, hoặc mẫu không dùng ở cơ sở này.",
        en="There is no such form, or it is not used at this facility.",
        next_vi="Tải lại danh sách mẫu khai của cơ sở.",
        next_en="Load the list of the facility's forms again.",
    )
)
FORM_OUTDATED = declare(
    ProblemType(
        code="declaration-form-outdated",
        status=409,
        vi="Mẫu khai này đã được thay bằng bản mới hoặc không còn dùng.",
        en="This version of the form was replaced or is no longer used.",
        next_vi="Tải mẫu khai hiện hành rồi khai lại.",
        next_en="Load the form that is in force and fill that in.",
    )
)
FORM_INVALID = declare(
    ProblemType(
        code="declaration-form-invalid",
        status=422,
        vi="Mẫu khai không dùng được: câu hỏi trùng, thiếu lựa chọn, sai giới hạn hoặc sai điều kiện hiện.",
        en="The form does not hold together: a question twice, without choices, or with an unfit limit or"
        " condition.",
        next_vi="Sửa mục được nêu (linkId) rồi đề xuất lại.",
        next_en="Correct the item that is named (linkId) and propose it again.",
    )
)
FORM_WITHHELD = declare(
    ProblemType(
        code="declaration-form-withheld",
        status=422,
        vi="Mẫu khai hỏi về thông tin mà hệ thống này không được giữ.",
        en="The form asks about things that this system may not keep.",
        next_vi="Bỏ câu hỏi hoặc lựa chọn đó khỏi mẫu.",
        next_en="Take that question or choice out of the form.",
    )
)
FORM_STATE = declare(
    ProblemType(
        code="declaration-form-state",
        status=409,
        vi="Mẫu khai không còn ở trạng thái cho phép việc này, hoặc chính bạn đã đề xuất mẫu.",
        en="The form is past this step, or you are the one who proposed it.",
        next_vi="Tải lại mẫu. Việc công bố cần một tài khoản khác với người đề xuất.",
        next_en="Load the form again. Somebody other than the proposer publishes it.",
    )
)
VISIT_UNKNOWN = declare(
    ProblemType(
        code="declaration-visit-unknown",
        status=404,
        vi="Không có lượt đến hoặc lịch hẹn này.",
        en="There is no such check-in or booking.",
        next_vi="Chọn lại lượt đến hôm nay hoặc lịch hẹn sắp tới.",
        next_en="Choose today's check-in or a booking to come.",
    )
)
VISIT_OVER = declare(
    ProblemType(
        code="declaration-visit-over",
        status=409,
        vi="Lượt đến này đã qua hoặc lịch hẹn đã hủy.",
        en="This visit is over, or the booking was cancelled.",
        next_vi="Khai cho lượt đến hôm nay hoặc lịch hẹn sắp tới.",
        next_en="Declare for today's check-in or a booking to come.",
    )
)
ONE_VISIT = declare(
    ProblemType(
        code="declaration-one-visit",
        status=422,
        vi="Cần nêu một lượt đến hoặc một lịch hẹn, không phải cả hai.",
        en="Name one check-in or one booking, not both and not none.",
        next_vi="Gửi lại với check_in_id hoặc booking_id.",
        next_en="Send it again with check_in_id or booking_id.",
    )
)
ANSWERS_INVALID = declare(
    ProblemType(
        code="declaration-answers-invalid",
        status=422,
        vi="Câu trả lời chưa đúng: thiếu, trùng, sai kiểu, ngoài giới hạn hoặc câu hỏi không được hỏi.",
        en="An answer is missing, given twice, of the wrong kind, beyond its limits, or was not asked for.",
        next_vi="Xem câu được nêu (linkId) rồi trả lời lại.",
        next_en="Look at the question that is named (linkId) and answer it again.",
    )
)
ANSWERS_WITHHELD = declare(
    ProblemType(
        code="declaration-answers-withheld",
        status=422,
        vi="Câu trả lời có thông tin mà hệ thống này không được giữ. Chưa có gì được lưu.",
        en="An answer holds things that this system may not keep. Nothing was kept.",
        next_vi="Bỏ phần đó khỏi câu được nêu và nói trực tiếp với người khám.",
        next_en="Take it out of the question that is named and tell whoever examines you.",
    )
)
DECLARATION_EXISTS = declare(
    ProblemType(
        code="declaration-exists",
        status=409,
        vi="Đã có bản khai theo mẫu này cho lượt đến này.",
        en="This form was filled in for this visit already.",
        next_vi="Xem bản khai đã có. Muốn sửa thì rút rồi khai lại; người đã khai hoặc chính chủ rút được.",
        next_en="Look at it. To change it, withdraw it and declare again; whoever made it or the person can.",
    )
)
DECLARATION_UNKNOWN = declare(
    ProblemType(
        code="declaration-unknown",
        status=404,
        vi="Không có bản khai này.",
        en="There is no such declaration.",
        next_vi="Tải lại danh sách bản khai.",
        next_en="Load the list of declarations again.",
    )
)
