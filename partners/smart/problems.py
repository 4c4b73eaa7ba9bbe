"""What is refused where a person lets a client in."""

from kernel.problems import ProblemType, declare

APP_REQUEST_UNKNOWN = declare(
    ProblemType(
        code="app-request-unknown",
        status=404,
        vi="Không có yêu cầu kết nối này, hoặc yêu cầu đã hết hạn.",
        en="There is no such request to connect, or it has ended.",
        next_vi="Mở lại trang kết nối của ứng dụng để lấy mã mới.",
        next_en="Open the app's page again to get a new code.",
    )
)
CHOICE_NOT_OFFERED = declare(
    ProblemType(
        code="app-choice-not-offered",
        status=422,
        vi="Mục hoặc thời hạn đã chọn không có trong yêu cầu này.",
        en="What was chosen is not offered by this request.",
        next_vi="Chọn trong những mục và thời hạn được nêu.",
        next_en="Choose among the parts and the lengths of time that are named.",
    )
)
NOTHING_TICKED = declare(
    ProblemType(
        code="app-nothing-ticked",
        status=422,
        vi="Bạn chưa đánh dấu mục nào.",
        en="No part was ticked.",
        next_vi="Hãy đánh dấu ít nhất một mục và chọn thời hạn, hoặc chọn không đồng ý.",
        next_en="Tick at least one part and choose a length of time, or say no.",
    )
)
NO_LENGTH_CHOSEN = declare(
    ProblemType(
        code="app-no-length-chosen",
        status=422,
        vi="Bạn chưa chọn thời hạn.",
        en="No length of time was chosen.",
        next_vi="Hãy chọn cho xem trong bao lâu, hoặc chọn không đồng ý.",
        next_en="Choose for how long, or say no.",
    )
)
OAUTH_UNSUPPORTED_RESPONSE_TYPE = declare(
    ProblemType(
        code="oauth-unsupported-response-type",
        status=400,
        vi="Kiểu trả lời này không được nhận.",
        en="This response type is not offered.",
        next_vi="Dùng response_type=code.",
        next_en="Use response_type=code.",
    )
)
CONNECT_PAGE_ENDED = declare(
    ProblemType(
        code="connect-page-ended",
        status=404,
        vi="Trang kết nối này đã hết hạn hoặc không mở từ trình duyệt này.",
        en="This page has ended, or was not opened in this browser.",
        next_vi="Quay lại ứng dụng và bắt đầu lại.",
        next_en="Go back to the app and start again.",
    )
)
CONNECT_NOT_POSSIBLE = declare(
    ProblemType(
        code="connect-not-possible",
        status=403,
        vi="Danh tính chưa được xác minh cho yêu cầu này, nên yêu cầu dừng ở đây. Chưa có gì được gửi đi.",
        en="Nobody's identity was proven for this request, so it stops here. Nothing was sent.",
        next_vi="Nếu vẫn muốn kết nối, hãy bắt đầu lại từ nơi đã đưa bạn tới đây: dùng tài khoản mức 2 của"
        " chính người được hỏi, hoặc chọn duyệt trong ứng dụng Sổ sức khỏe.",
        next_en="If you still want to connect, start again where you came from: with the level 2 account of"
        " the person who is asked, or by approving in the health book app.",
    )
)
CONNECT_CLIENT_UNKNOWN = declare(
    ProblemType(
        code="connect-client-unknown",
        status=400,
        vi="Ứng dụng gửi bạn tới đây chưa đăng ký, hoặc gửi sai địa chỉ.",
        en="The app that sent you here is not registered, or sent a wrong address.",
        next_vi="Đóng trang này và báo cho nơi làm ra ứng dụng.",
        next_en="Close this page and tell the maker of the app.",
    )
)
DIGITS_WRONG = declare(
    ProblemType(
        code="connect-digits-wrong",
        status=422,
        vi="Mã 6 số không đúng.",
        en="The six digits are not right.",
        next_vi="Nhập lại 6 số đang hiện trong ứng dụng của bạn.",
        next_en="Type the six digits that your app shows.",
        retryable=True,
    )
)
