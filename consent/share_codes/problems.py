"""What a share code refuses. To the asking side unknown, used, expired and dead codes are one refusal."""

from kernel.problems import ProblemType, declare

SHARE_CODE_INVALID = declare(
    ProblemType(
        code="share-code-invalid",
        status=403,
        vi="Mã chia sẻ này không dùng được.",
        en="This share code is not in use.",
        next_vi="Kiểm tra lại mã, hoặc xin người bệnh mã mới.",
        next_en="Check the code, or ask the person for a new one.",
    )
)
UNKNOWN_SHARE_CODE = declare(
    ProblemType(
        code="share-code-unknown",
        status=404,
        vi="Không có mã chia sẻ này.",
        en="There is no such share code.",
        next_vi="Tạo mã mới khi cần.",
        next_en="Make a new one when you need it.",
    )
)
