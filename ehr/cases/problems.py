"""What a case can be refused for."""

from kernel.problems import ProblemType, declare

CASE_UNKNOWN = declare(
    ProblemType(
        code="case-unknown",
        status=404,
        vi="Không có yêu cầu xem lại này.",
        en="There is no such case.",
        next_vi="Tải lại danh sách.",
        next_en="Load the list again.",
    )
)
CASE_TARGET_UNKNOWN = declare(
    ProblemType(
        code="case-target-unknown",
        status=404,
        vi="Không tìm thấy mục hoặc cơ sở được nêu trong sổ.",
        en="The book has no such entry or facility.",
        next_vi="Tải lại sổ và chọn lại mục.",
        next_en="Load the book again and choose the entry.",
    )
)
CASE_INVALID = declare(
    ProblemType(
        code="case-invalid",
        status=400,
        vi="Yêu cầu thiếu hoặc thừa thông tin.",
        en="The request lacks something or has too much.",
        next_vi="Kiểm tra mục được nêu và gửi lại.",
        next_en="Check the named field and send it again.",
    )
)
CASE_NO_FACILITY = declare(
    ProblemType(
        code="case-no-facility",
        status=409,
        vi="Mục này không do một cơ sở gửi nên không có nơi trả lời.",
        en="No facility sent this entry, so nobody could answer.",
        next_vi="Gọi tổng đài để được hỗ trợ.",
        next_en="Call the hotline.",
    )
)
CASE_ALREADY_OPEN = declare(
    ProblemType(
        code="case-already-open",
        status=409,
        vi="Đã có một yêu cầu đang được xử lý về mục này.",
        en="A case about this is open already.",
        next_vi="Mở yêu cầu đang có để xem tiến độ hoặc bổ sung ảnh.",
        next_en="Open that case to follow it or to add a picture.",
    )
)
CASES_TOO_MANY = declare(
    ProblemType(
        code="cases-too-many",
        status=409,
        vi="Bạn đang có quá nhiều yêu cầu chưa xong.",
        en="Too many of your cases are open.",
        next_vi="Chờ cơ sở trả lời hoặc rút bớt yêu cầu.",
        next_en="Wait for answers, or withdraw one.",
    )
)
CASE_STATE = declare(
    ProblemType(
        code="case-state",
        status=409,
        vi="Yêu cầu đang ở bước không làm được việc này.",
        en="The case is at a step that does not allow this.",
        next_vi="Tải lại để xem bước hiện tại.",
        next_en="Load it again to see where it stands.",
    )
)
EVIDENCE_UNKNOWN = declare(
    ProblemType(
        code="evidence-unknown",
        status=404,
        vi="Không có ảnh này.",
        en="There is no such picture.",
        next_vi="Tải lại yêu cầu.",
        next_en="Load the case again.",
    )
)
EVIDENCE_TOO_MANY = declare(
    ProblemType(
        code="evidence-too-many",
        status=409,
        vi="Yêu cầu này đã đủ số ảnh.",
        en="The case has all the pictures it can have.",
        next_vi="Không thêm được ảnh nữa.",
        next_en="No more pictures can be added.",
    )
)
EVIDENCE_UNREADABLE = declare(
    ProblemType(
        code="evidence-unreadable",
        status=422,
        vi="Tệp này không phải ảnh JPEG hoặc PNG đọc được.",
        en="This is no JPEG or PNG picture that can be read.",
        next_vi="Chụp lại bằng máy ảnh của điện thoại rồi gửi.",
        next_en="Take a picture with the phone and send that.",
    )
)
EVIDENCE_TOO_LARGE = declare(
    ProblemType(
        code="evidence-too-large",
        status=413,
        vi="Ảnh quá lớn.",
        en="The picture is too large.",
        next_vi="Chụp ở cỡ nhỏ hơn, tối đa 12 triệu điểm ảnh.",
        next_en="Take a smaller one, at most 12 megapixels.",
    )
)
EVIDENCE_BUSY = declare(
    ProblemType(
        code="evidence-busy",
        status=429,
        vi="Đang có nhiều ảnh được gửi cùng lúc.",
        en="Many pictures are being sent at once.",
        next_vi="Đợi ít giây rồi gửi lại.",
        next_en="Wait a few seconds and send it again.",
        retryable=True,
    )
)
