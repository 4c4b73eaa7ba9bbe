"""What can be refused when somebody proves who they are."""

from kernel.problems import ProblemType, declare

VERIFICATION_UNAVAILABLE = declare(
    ProblemType(
        code="verification-unavailable",
        status=503,
        vi="Chưa xác minh được qua nhà cung cấp danh tính lúc này.",
        en="The identity provider cannot be reached right now.",
        next_vi="Thử lại sau ít phút, hoặc đến quầy của cơ sở y tế để được kích hoạt.",
        next_en="Try again in some minutes, or be activated at the desk of a facility.",
        retryable=True,
    )
)
VERIFICATION_REFUSED = declare(
    ProblemType(
        code="verification-refused",
        status=403,
        vi="Việc xác minh danh tính chưa thành công hoặc không dùng được cho việc này.",
        en="The identity was not verified, or not for this.",
        next_vi="Bắt đầu xác minh lại từ đầu trên đúng thiết bị này.",
        next_en="Start the verification again, on this very device.",
    )
)
VERIFICATION_LEVEL_LOW = declare(
    ProblemType(
        code="verification-level-low",
        status=403,
        vi="Mức xác minh của tài khoản định danh chưa đủ cho việc này.",
        en="The level of the identity account is too low for this.",
        next_vi="Nâng tài khoản định danh lên mức 2, hoặc đến quầy của cơ sở y tế.",
        next_en="Raise the identity account to level 2, or go to the desk of a facility.",
    )
)
RETURN_ADDRESS_UNKNOWN = declare(
    ProblemType(
        code="return-address-unknown",
        status=400,
        vi="Địa chỉ quay lại không nằm trong danh sách đã đăng ký.",
        en="The address to return to is not on the list.",
        next_vi="Cập nhật ứng dụng rồi thử lại.",
        next_en="Update the app and try again.",
    )
)
