"""What a write or a read of the record can be refused for."""

from kernel.problems import ProblemType, declare

OTHER_SOURCE = declare(
    ProblemType(
        code="other-source",
        status=409,
        vi="Mục này do nơi khác ghi, không thể thay đổi.",
        en="This item was written by another source and cannot be changed.",
        next_vi="Chỉ gửi lại dữ liệu do chính cơ sở của bạn đã gửi.",
        next_en="Resend only what your own facility sent.",
    )
)
