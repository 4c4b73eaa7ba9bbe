"""What a file, or a wish about one, is refused for at once."""

from kernel.problems import ProblemType, declare

VITAL_IMPORT_UNKNOWN = declare(
    ProblemType(
        code="vital-import-unknown",
        status=404,
        vi="Không có lần nhập tệp này.",
        en="There is no such import.",
        next_vi="Tải lại danh sách các lần nhập.",
        next_en="Load the list of imports again.",
    )
)
VITAL_IMPORT_RUNNING = declare(
    ProblemType(
        code="vital-import-running",
        status=409,
        vi="Một tệp khác đang được nhập.",
        en="Another file is being taken in.",
        next_vi="Đợi tệp đó xong, hoặc rút lại tệp đó, rồi gửi lại.",
        next_en="Wait until it is done, or withdraw it, then send again.",
    )
)
