"""What a hotline's tickets refuse."""

from kernel.problems import ProblemType, declare

TICKET_UNKNOWN = declare(
    ProblemType(
        code="ticket-unknown",
        status=404,
        vi="Không có phiếu này.",
        en="There is no such ticket.",
        next_vi="Tải lại danh sách phiếu.",
        next_en="Load the list of tickets again.",
    )
)
TICKET_CLOSED = declare(
    ProblemType(
        code="ticket-closed",
        status=409,
        vi="Phiếu này đã đóng.",
        en="The ticket is closed.",
        next_vi="Mở phiếu mới nếu người gọi còn cần.",
        next_en="Open another one if the caller still needs something.",
    )
)
TICKET_AGENT_UNKNOWN = declare(
    ProblemType(
        code="ticket-agent-unknown",
        status=422,
        vi="Người được giao không phải nhân viên đường dây nóng ở đây.",
        en="Whoever is named is no agent of this hotline.",
        next_vi="Chọn nhân viên khác.",
        next_en="Choose another agent.",
    )
)
TICKET_WITHHELD = declare(
    ProblemType(
        code="ticket-withheld",
        status=422,
        vi="Nội dung này không được ghi vào phiếu theo quy định hiện hành.",
        en="The rules in force keep such content out of tickets.",
        next_vi="Ghi lại mà không nêu bệnh; hướng dẫn người gọi tới cơ sở.",
        next_en="Write it without the illness, and send the caller to a facility.",
    )
)
