"""What a link refuses. To whoever holds an address, every link that is not in force is one refusal."""

from kernel.problems import ProblemType, declare

LINK_NOT_FOUND = declare(
    ProblemType(
        code="link-not-found",
        status=404,
        vi="Liên kết này không còn dùng được.",
        en="This link is not in use.",
        next_vi="Hỏi người đã gửi liên kết.",
        next_en="Ask whoever gave you the link.",
    )
)
PASSCODE_INVALID = declare(
    ProblemType(
        code="passcode-invalid",
        status=401,
        vi="Mật mã của liên kết thiếu hoặc không đúng.",
        en="The link's passcode is missing or wrong.",
        next_vi="Hỏi lại người đã gửi liên kết; sai 5 lần thì liên kết bị khóa.",
        next_en="Ask whoever gave you the link; five wrong ones lock it.",
    )
)
LINK_BUSY = declare(
    ProblemType(
        code="link-busy",
        status=429,
        vi="Liên kết này được mở quá nhiều lần.",
        en="This link is being opened too often.",
        next_vi="Chờ hết thời gian được nêu rồi mở lại.",
        next_en="Wait as long as stated, then open it again.",
        retryable=True,
    )
)
UNKNOWN_LINK = declare(
    ProblemType(
        code="link-unknown",
        status=404,
        vi="Không có liên kết này.",
        en="There is no such link.",
        next_vi="Tải lại danh sách liên kết.",
        next_en="Load the list of links again.",
    )
)
TOO_MANY_LINKS = declare(
    ProblemType(
        code="too-many-links",
        status=409,
        vi="Bạn đang có quá nhiều liên kết còn hiệu lực.",
        en="You have too many links in use.",
        next_vi="Thu hồi một liên kết rồi tạo liên kết mới.",
        next_en="Take one back, then make a new one.",
    )
)
PASSCODE_TOO_EASY = declare(
    ProblemType(
        code="passcode-too-easy",
        status=422,
        vi="Mật mã này quá dễ đoán.",
        en="This passcode is too easy to guess.",
        next_vi="Chọn mật mã khác, hoặc để hệ thống tạo tám chữ số.",
        next_en="Choose another one, or let the service draw eight digits.",
    )
)
LINK_TOO_LARGE = declare(
    ProblemType(
        code="link-too-large",
        status=422,
        vi="Nội dung đã chọn quá lớn cho một liên kết.",
        en="What was chosen is too large for a link.",
        next_vi="Bỏ bớt giấy tờ rồi tạo lại.",
        next_en="Leave some documents out and make it again.",
    )
)
