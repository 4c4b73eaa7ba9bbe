"""What reports of reactions refuse. Every text says what to do in an emergency."""

from kernel.problems import ProblemType, declare

REACTION_UNKNOWN = declare(
    ProblemType(
        code="reaction-unknown",
        status=404,
        vi="Không có báo cáo phản ứng sau tiêm này.",
        en="There is no such report of a reaction.",
        next_vi="Tải lại danh sách. Nếu khẩn cấp, gọi 115.",
        next_en="Load the list again. In an emergency call 115.",
    )
)
REACTION_STATE = declare(
    ProblemType(
        code="reaction-state",
        status=409,
        vi="Báo cáo đang ở bước không làm được việc này.",
        en="The report is at a step that does not allow this.",
        next_vi="Tải lại để xem bước hiện tại. Nếu khẩn cấp, gọi 115.",
        next_en="Load it again to see where it stands. In an emergency call 115.",
    )
)
SYMPTOM_UNKNOWN = declare(
    ProblemType(
        code="reaction-symptom-unknown",
        status=422,
        vi="Có dấu hiệu không nằm trong danh sách.",
        en="One of the signs is not on the list.",
        next_vi="Chọn trong danh sách dấu hiệu. Nếu khẩn cấp, gọi 115 ngay.",
        next_en="Choose from the list of signs. In an emergency call 115 now.",
    )
)
REACTIONS_TOO_MANY = declare(
    ProblemType(
        code="reactions-too-many",
        status=409,
        vi="Bạn đã gửi nhiều báo cáo hôm nay.",
        en="Too many reports were sent today.",
        next_vi="Bổ sung vào báo cáo đã gửi, hoặc gọi cơ sở tiêm. Nếu khẩn cấp, gọi 115 ngay.",
        next_en="Add to a report that stands, or call the facility. In an emergency call 115 now.",
    )
)
REACTION_WITHHELD = declare(
    ProblemType(
        code="reaction-withheld",
        status=422,
        vi="Nội dung này không được ghi ở đây theo quy định hiện hành.",
        en="The rules in force keep such content out of here.",
        next_vi="Ghi lại ngắn gọn, chỉ về phản ứng sau tiêm.",
        next_en="Write shortly, of the reaction alone.",
    )
)
REACTION_UNTOLD = declare(
    ProblemType(
        code="reaction-untold",
        status=409,
        vi="Phản ứng nặng chỉ được kết thúc sau khi đã báo Sở Y tế.",
        en="A severe reaction is closed only after the health department was told.",
        next_vi="Báo Sở Y tế và CDC, ghi nhận việc đã báo, rồi kết thúc.",
        next_en="Tell the health department and the CDC, note that it was told, then close it.",
    )
)
