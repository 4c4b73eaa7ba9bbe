"""What meal times can be refused for."""

from kernel.problems import ProblemType, declare

DAY_OUT_OF_ORDER = declare(
    ProblemType(
        code="day-out-of-order",
        status=422,
        vi="Các giờ trong ngày phải theo thứ tự và cách nhau ít nhất một giờ.",
        en="The times of the day must follow each other, an hour apart at least.",
        next_vi="Chọn giờ ăn sáng từ 03:00, rồi trưa, chiều, tối và giờ đi ngủ, mỗi giờ sau giờ trước.",
        next_en="Choose breakfast from 03:00 on, then lunch, afternoon, dinner and bedtime in turn.",
    )
)
