"""What written questions refuse."""

from kernel.problems import ProblemType, declare

CONSULTATION_UNKNOWN = declare(
    ProblemType(
        code="consultation-unknown",
        status=404,
        vi="Không có câu hỏi tư vấn này.",
        en="There is no such question.",
        next_vi="Tải lại danh sách. Nếu khẩn cấp, gọi 115.",
        next_en="Load the list again. In an emergency call 115.",
    )
)
CONSULTATION_STATE = declare(
    ProblemType(
        code="consultation-state",
        status=409,
        vi="Câu hỏi đang ở bước không làm được việc này.",
        en="The question is at a step that does not allow this.",
        next_vi="Tải lại để xem bước hiện tại. Nếu khẩn cấp, gọi 115.",
        next_en="Load it again to see where it stands. In an emergency call 115.",
    )
)
CONSULTATION_TARGET_UNKNOWN = declare(
    ProblemType(
        code="consultation-target-unknown",
        status=404,
        vi="Không gửi được câu hỏi tới nơi này.",
        en="A question cannot be put to this facility or doctor.",
        next_vi="Chọn cơ sở hoặc bác sĩ khác. Nếu khẩn cấp, gọi 115.",
        next_en="Choose another facility or doctor. In an emergency call 115.",
    )
)
CONSULTATIONS_TOO_MANY = declare(
    ProblemType(
        code="consultations-too-many",
        status=409,
        vi="Bạn đang có nhiều câu hỏi chờ trả lời.",
        en="Too many of your questions wait for an answer.",
        next_vi="Chờ trả lời hoặc rút bớt câu hỏi. Nếu khẩn cấp, gọi 115.",
        next_en="Wait for answers, or withdraw one. In an emergency call 115.",
    )
)
CONSULTATION_WITHHELD = declare(
    ProblemType(
        code="consultation-withheld",
        status=422,
        vi="Nội dung này không được gửi qua đây theo quy định hiện hành.",
        en="The rules in force keep such content out of here.",
        next_vi="Trao đổi trực tiếp với cơ sở. Nếu khẩn cấp, gọi 115.",
        next_en="Speak with the facility in person. In an emergency call 115.",
    )
)
PICTURE_UNKNOWN = declare(
    ProblemType(
        code="consultation-picture-unknown",
        status=404,
        vi="Không có ảnh này.",
        en="There is no such picture.",
        next_vi="Tải lại câu hỏi.",
        next_en="Load the question again.",
    )
)
PICTURES_TOO_MANY = declare(
    ProblemType(
        code="consultation-pictures-too-many",
        status=409,
        vi="Câu hỏi này đã đủ số ảnh.",
        en="The question has all the pictures it can have.",
        next_vi="Không thêm được ảnh nữa.",
        next_en="No more pictures can be added.",
    )
)
