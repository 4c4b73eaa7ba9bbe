"""What limits can be refused for."""

from kernel.problems import ProblemType, declare

ALERT_RULE_INVALID = declare(
    ProblemType(
        code="alert-rule-invalid",
        status=422,
        vi="Ngưỡng này thiếu hoặc sai nội dung.",
        en="This limit lacks something, or says what cannot be.",
        next_vi="Ghi ít nhất một ngưỡng với đơn vị có trong danh sách; mỗi loại và chiều chỉ một lần;"
        " số thứ hai chỉ dùng cho huyết áp.",
        next_en="Give at least one limit in a unit of the list, each kind and direction once;"
        " the second number belongs to blood pressure.",
    )
)
ALERT_RULE_OUT_OF_BOUNDS = declare(
    ProblemType(
        code="alert-rule-out-of-bounds",
        status=422,
        vi="Ngưỡng này nằm ngoài khoảng đặt được.",
        en="This limit lies outside what can be set.",
        next_vi="Chọn ngưỡng trong khoảng cho phép; chỉ bác sĩ được bạn cho xem số đo mới đặt ngưỡng rộng"
        " hơn mức mặc định.",
        next_en="Choose one within the bounds; only a doctor who may see the measurements sets one wider"
        " than the default.",
    )
)
ALERT_RULE_DOCTORS_ONLY = declare(
    ProblemType(
        code="alert-rule-doctors-only",
        status=422,
        vi="Ngưỡng huyết áp của người dưới 18 tuổi chỉ bác sĩ đặt được.",
        en="Limits for the blood pressure of somebody under 18 are set by a doctor alone.",
        next_vi="Hỏi bác sĩ đang theo dõi: ngưỡng của trẻ còn tùy chiều cao.",
        next_en="Ask the treating doctor: a child's limits depend on height.",
    )
)
ALERT_RULES_CHANGED = declare(
    ProblemType(
        code="alert-rules-changed",
        status=409,
        vi="Danh sách ngưỡng đã thay đổi.",
        en="The list of limits has changed.",
        next_vi="Tải lại danh sách rồi đặt lại.",
        next_en="Read the list again and set the limits anew.",
    )
)
NO_SUCH_RULE = declare(
    ProblemType(
        code="no-such-alert-rule",
        status=404,
        vi="Không có ngưỡng này.",
        en="There is no such limit.",
        next_vi="Xem danh sách ngưỡng.",
        next_en="Read the list of limits.",
    )
)
