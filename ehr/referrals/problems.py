"""What a move of a referral is refused for."""

from kernel.problems import ProblemType, declare

UNKNOWN_REFERRAL = declare(
    ProblemType(
        code="referral-not-found",
        status=404,
        vi="Không có phiếu chuyển này gửi đến cơ sở của bạn.",
        en="No such referral was sent to your facility.",
        next_vi="Kiểm tra số phiếu người bệnh đưa.",
        next_en="Check the number of the letter that the person shows.",
    )
)
REFERRAL_MOVED_ON = declare(
    ProblemType(
        code="referral-moved-on",
        status=409,
        vi="Phiếu chuyển đã ở bước này hoặc bước sau.",
        en="The referral is at this step already, or beyond it.",
        next_vi="Tải lại danh sách phiếu chuyển.",
        next_en="Load the list of referrals again.",
    )
)
BAD_BOOKING = declare(
    ProblemType(
        code="referral-day-invalid",
        status=400,
        vi="Ngày hẹn phải từ hôm nay trở đi, và chỉ bước đặt hẹn mới có ngày.",
        en="A booking names a day from today on, and no other step names one.",
        next_vi="Chọn lại ngày hẹn.",
        next_en="Choose another day.",
    )
)
