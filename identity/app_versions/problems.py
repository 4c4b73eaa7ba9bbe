"""What is refused of what operators enter about versions of apps."""

from kernel.problems import ProblemType, declare

APP_POLICY_INVALID = declare(
    ProblemType(
        code="app-policy-invalid",
        status=422,
        vi="Quy định về phiên bản ứng dụng không dùng được.",
        en="This entry about versions of an app cannot be used.",
        next_vi="Kiểm tra mục được nêu: phiên bản, địa chỉ cửa hàng, lời nhắn, tính năng.",
        next_en="Check the named field: versions, store address, messages, features.",
    )
)
