"""What is wrong with a number that is shown at a counter."""

from kernel.problems import ProblemType, declare

TICKET_ELSEWHERE = declare(
    ProblemType(
        code="ticket-elsewhere",
        status=409,
        vi="Số thứ tự này là của cơ sở khác.",
        en="This number is of another facility.",
        next_vi="Mời người bệnh quét mã tại quầy của cơ sở này để lấy số mới.",
        next_en="Ask the person to scan the code of a counter here for a new number.",
    )
)
NUMBER_UNKNOWN = declare(
    ProblemType(
        code="number-unknown",
        status=404,
        vi="Không còn số thứ tự này.",
        en="This number is not kept any more.",
        next_vi="Mời người bệnh quét mã tại quầy để lấy số mới.",
        next_en="Ask the person to scan the code of the counter for a new number.",
    )
)
