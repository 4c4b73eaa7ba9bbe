"""What the choice of purposes refuses."""

from kernel.problems import ProblemType, declare

PURPOSE_BY_LAW = declare(
    ProblemType(
        code="purpose-by-law",
        status=409,
        vi="Mục đích này dựa trên luật, không dựa trên sự đồng ý.",
        en="This purpose rests on the law and not on consent.",
        next_vi="Đọc phần giải thích của mục đích; bạn có thể ẩn mục hoặc yêu cầu sửa.",
        next_en="Read what the purpose says; you may hide entries or ask for corrections.",
    )
)
PURPOSE_CHANGED = declare(
    ProblemType(
        code="purpose-changed",
        status=409,
        vi="Nội dung của mục đích này đã thay đổi.",
        en="The words of this purpose have changed.",
        next_vi="Đọc lại nội dung mới rồi trả lời.",
        next_en="Read the new words and answer again.",
    )
)
UNKNOWN_PURPOSE = declare(
    ProblemType(
        code="purpose-unknown",
        status=404,
        vi="Không có mục đích này.",
        en="There is no such purpose.",
        next_vi="Tải lại danh sách mục đích.",
        next_en="Load the list of purposes again.",
    )
)
UNKNOWN_WITHDRAWAL = declare(
    ProblemType(
        code="withdrawal-unknown",
        status=404,
        vi="Không có việc rút lại nào cần làm như vậy.",
        en="There is no withdrawal to do that with.",
        next_vi="Tải lại danh sách. Chỉ gia hạn được một lần.",
        next_en="Load the list again. It can be extended once.",
    )
)
