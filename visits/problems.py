"""What a check-in and the check of a card refuse."""

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
ARRIVAL_UNKNOWN = declare(
    ProblemType(
        code="arrival-unknown",
        status=404,
        vi="Hôm nay cơ sở của bạn chưa ghi nhận lượt đến này.",
        en="Your facility noted no such arrival today.",
        next_vi="Ghi nhận người bệnh đến rồi kiểm tra thẻ lại; vẫn tiếp đón.",
        next_en="Note the arrival, then check the card again; receive the person all the same.",
    )
)
