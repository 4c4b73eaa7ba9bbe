"""What is refused of what operators enter about versions of apps."""

from kernel.problems import ProblemType, declare

APP_POLICY_OVERTAKEN = declare(
    ProblemType(
        code="app-policy-overtaken",
        status=409,
        vi="Quy định về phiên bản của nền tảng này đã được thay sau khi đề nghị này được lập.",
        en="What holds for this platform was changed after this was proposed.",
        next_vi="Xem quy định đang có hiệu lực rồi lập đề nghị mới.",
        next_en="Look at what holds now and propose anew.",
    )
)

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
