"""What consent refuses. "No grant" and "no such person" are one and the same refusal."""

from kernel.problems import ProblemType, declare

NO_ACCESS = declare(
    ProblemType(
        code="no-access",
        status=403,
        vi="Bạn không có quyền xem hồ sơ này.",
        en="You have no access to this record.",
        next_vi="Gửi yêu cầu và chờ người dân đồng ý.",
        next_en="Ask the person for access first.",
    )
)
ROLE_MAY_NOT_ASK = declare(
    ProblemType(
        code="role-may-not-ask",
        status=403,
        vi="Vai trò của bạn không được yêu cầu những mục này.",
        en="Your role may not ask for these parts of a record.",
        next_vi="Chọn lại các mục trong phạm vi vai trò.",
        next_en="Choose parts that your role may see.",
    )
)
ACCESS_REQUEST_INVALID = declare(
    ProblemType(
        code="access-request-invalid",
        status=400,
        vi="Yêu cầu truy cập không hợp lệ.",
        en="The access request is not valid.",
        next_vi="Kiểm tra mục được nêu và gửi lại.",
        next_en="Check the named field and send it again.",
    )
)
UNKNOWN_REQUEST = declare(
    ProblemType(
        code="request-unknown",
        status=404,
        vi="Không có yêu cầu này.",
        en="There is no such request.",
        next_vi="Tải lại danh sách yêu cầu.",
        next_en="Load the list of requests again.",
    )
)
REQUEST_EXPIRED = declare(
    ProblemType(
        code="request-expired",
        status=410,
        vi="Yêu cầu đã hết hạn.",
        en="The request has expired.",
        next_vi="Cần một yêu cầu mới.",
        next_en="A new request is needed.",
    )
)
REQUEST_DECIDED = declare(
    ProblemType(
        code="request-decided",
        status=409,
        vi="Yêu cầu đã được trả lời.",
        en="The request has been answered already.",
        next_vi="Tải lại danh sách yêu cầu.",
        next_en="Load the list of requests again.",
    )
)
OTP_INVALID = declare(
    ProblemType(
        code="otp-invalid",
        status=403,
        vi="Mã không đúng.",
        en="The code is wrong.",
        next_vi="Kiểm tra mã và nhập lại.",
        next_en="Check the code and enter it again.",
    )
)
CHALLENGE_DEAD = declare(
    ProblemType(
        code="challenge-dead",
        status=403,
        vi="Yêu cầu này không nhận mã nữa.",
        en="This request accepts no more codes.",
        next_vi="Cần một yêu cầu mới.",
        next_en="A new request is needed.",
    )
)
SCOPE_EXCEEDS_REQUEST = declare(
    ProblemType(
        code="scope-exceeds-request",
        status=422,
        vi="Phạm vi đã chọn rộng hơn yêu cầu.",
        en="The choice is wider than the request.",
        next_vi="Chọn trong phạm vi được yêu cầu.",
        next_en="Choose within what was asked for.",
    )
)
NOTHING_GRANTED = declare(
    ProblemType(
        code="nothing-to-grant",
        status=422,
        vi="Phạm vi đã chọn không còn mục nào.",
        en="Nothing remains in the chosen scope.",
        next_vi="Chọn ít nhất một mục hoặc từ chối yêu cầu.",
        next_en="Choose at least one part, or refuse the request.",
    )
)
SCOPE_EXCEEDS_GRANT = declare(
    ProblemType(
        code="scope-exceeds-grant",
        status=422,
        vi="Chỉ có thể thu hẹp sự đồng ý, không thể mở rộng.",
        en="A grant can only be made narrower.",
        next_vi="Bỏ bớt mục; muốn mở rộng thì cần một yêu cầu mới.",
        next_en="Take parts out; more needs a new request.",
    )
)
GRANT_NOT_RENEWABLE = declare(
    ProblemType(
        code="grant-not-renewable",
        status=409,
        vi="Chỉ gia hạn được bản mới nhất của sự đồng ý từ 7 ngày trở lên, cho tại cơ sở và còn hiệu lực.",
        en="Only the newest version of a live grant of 7 days or more, made at a visit, can be renewed.",
        next_vi="Đồng ý lại khi bạn đến cơ sở, hoặc gửi mã chia sẻ.",
        next_en="Agree again at the next visit, or give a share code.",
    )
)
REQUESTER_BLOCKED = declare(
    ProblemType(
        code="requester-blocked",
        status=409,
        vi="Bạn đang chặn người hoặc cơ sở này.",
        en="You have blocked this practitioner or facility.",
        next_vi="Bỏ chặn trước, rồi trả lời lại.",
        next_en="Lift the block first, then answer again.",
    )
)
UNKNOWN_BLOCK = declare(
    ProblemType(
        code="block-unknown",
        status=404,
        vi="Không có mục chặn này.",
        en="There is no such block.",
        next_vi="Tải lại danh sách.",
        next_en="Load the list again.",
    )
)
COLLEAGUE_UNKNOWN = declare(
    ProblemType(
        code="colleague-unknown",
        status=404,
        vi="Không có điều dưỡng nào đang làm việc ở cơ sở này với số giấy phép đó.",
        en="No nurse with this licence works at this facility.",
        next_vi="Kiểm tra số giấy phép hành nghề.",
        next_en="Check the licence number.",
    )
)
DELEGATIONS_FULL = declare(
    ProblemType(
        code="delegations-full",
        status=409,
        vi="Quyền xem này đã được giao cho đủ số người.",
        en="This grant has been handed to as many people as it may be.",
        next_vi="Kết thúc một lần giao trước.",
        next_en="End one of them first.",
    )
)
UNKNOWN_DELEGATION = declare(
    ProblemType(
        code="delegation-unknown",
        status=404,
        vi="Không có lần giao này.",
        en="There is no such delegation.",
        next_vi="Tải lại danh sách.",
        next_en="Load the list again.",
    )
)
UNKNOWN_GRANT = declare(
    ProblemType(
        code="grant-unknown",
        status=404,
        vi="Không có sự đồng ý này.",
        en="There is no such grant.",
        next_vi="Tải lại danh sách.",
        next_en="Load the list again.",
    )
)
