"""What is refused of a client's entry."""

from kernel.problems import ProblemType, declare

CLIENT_ENTRY_INVALID = declare(
    ProblemType(
        code="client-entry-invalid",
        status=422,
        vi="Thông tin đăng ký ứng dụng không dùng được.",
        en="This entry of a client cannot be used.",
        next_vi="Kiểm tra mục được nêu: khóa công khai, địa chỉ quay về, phạm vi.",
        next_en="Check the named field: public keys, redirect addresses, scopes.",
    )
)
