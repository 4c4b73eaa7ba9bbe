"""What the monthly file can be refused for."""

from kernel.problems import ProblemType, declare

MONTH_NOT_COUNTED = declare(
    ProblemType(
        code="month-not-counted",
        status=404,
        vi="Chưa có số liệu của tháng này.",
        en="This month has not been counted.",
        next_vi="Chọn một tháng đã qua; số liệu có vào đêm đầu của tháng sau.",
        next_en="Choose a month that is over; it is counted in the first night of the next one.",
    )
)
