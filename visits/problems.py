"""What a check-in refuses."""

from kernel.problems import ProblemType, declare

NOT_AT_A_FACILITY = declare(
    ProblemType(
        code="not-at-a-facility",
        status=403,
        vi="Thiết bị này không thuộc cơ sở nào.",
        en="This device belongs to no facility.",
        next_vi="Đăng nhập bằng tài khoản của cơ sở.",
        next_en="Sign in with an account of the facility.",
    )
)
