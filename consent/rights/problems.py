"""What requests about one's own data refuse."""

from kernel.problems import ProblemType, declare

UNKNOWN_RIGHTS_REQUEST = declare(
    ProblemType(
        code="rights-request-unknown",
        status=404,
        vi="Không có yêu cầu này.",
        en="There is no such request.",
        next_vi="Tải lại danh sách yêu cầu.",
        next_en="Load the list of requests again.",
    )
)
RIGHTS_REQUEST_OVER = declare(
    ProblemType(
        code="rights-request-over",
        status=409,
        vi="Yêu cầu này đã kết thúc hoặc đã được gia hạn.",
        en="This request is over, or was extended before.",
        next_vi="Tải lại danh sách; nếu cần, gửi yêu cầu mới.",
        next_en="Load the list again; make a new request if one is needed.",
    )
)
SETTLES_ITSELF = declare(
    ProblemType(
        code="rights-request-settles-itself",
        status=409,
        vi="Hệ thống tự thực hiện và kết thúc yêu cầu này.",
        en="The program itself carries out and ends this request.",
        next_vi="Không cần làm gì; chỉ người yêu cầu mới hủy được việc xóa hồ sơ.",
        next_en="There is nothing to do; only the person can cancel an erasure.",
    )
)
DEATH_REPORTED = declare(
    ProblemType(
        code="death-reported",
        status=409,
        vi="Có nơi báo rằng bạn đã mất nên chưa thể đóng tài khoản.",
        en="A death was reported for you, so the account cannot be closed now.",
        next_vi="Trước hết hãy phản đối tin báo đó trong ứng dụng, rồi đóng tài khoản.",
        next_en="Object to that report in the app first, then close the account.",
    )
)
ERASURE_WAITS = declare(
    ProblemType(
        code="erasure-waiting",
        status=409,
        vi="Bạn đã yêu cầu xóa hồ sơ; yêu cầu đang chờ.",
        en="You asked for your record to be erased already; that waits.",
        next_vi="Chờ đến ngày đã báo, hoặc hủy yêu cầu.",
        next_en="Wait for the day you were told, or cancel it.",
    )
)
ERASURE_BEFORE_MERGE = declare(
    ProblemType(
        code="merge-erasure-waiting",
        status=409,
        vi="Một trong hai người đã yêu cầu xóa hồ sơ.",
        en="One of the two persons asked for their record to be erased.",
        next_vi="Chờ việc xóa kết thúc hoặc được hủy, rồi thử lại.",
        next_en="Wait until the erasure is over or was cancelled, then try again.",
        retryable=True,
    )
)
NO_ERASURE = declare(
    ProblemType(
        code="erasure-unknown",
        status=404,
        vi="Không có yêu cầu xóa hồ sơ nào đang chờ.",
        en="No erasure is waiting.",
        next_vi="Không cần làm gì.",
        next_en="There is nothing to do.",
    )
)
UNKNOWN_BREACH = declare(
    ProblemType(
        code="breach-unknown",
        status=404,
        vi="Không có sự cố này.",
        en="There is no such breach.",
        next_vi="Tải lại danh sách sự cố.",
        next_en="Load the list of breaches again.",
    )
)
BREACH_NOT_TOLD = declare(
    ProblemType(
        code="breach-not-told",
        status=409,
        vi="Cơ quan chức năng chưa được báo về sự cố này.",
        en="The authority was not told of this breach yet.",
        next_vi="Báo cơ quan chức năng và ghi số tiếp nhận trước khi đóng.",
        next_en="Tell the authority and record its receipt before closing.",
    )
)
