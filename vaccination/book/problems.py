"""What declaring a dose refuses; the words of the gate are those of statements."""

from kernel.problems import ProblemType, declare

DOSE_INVALID = declare(
    ProblemType(
        code="vaccination-dose-invalid",
        status=422,
        vi="Thông tin về mũi tiêm chưa đúng.",
        en="What is said about the dose is not right.",
        next_vi="Xem lại ô được nêu rồi gửi lại.",
        next_en="Look at the field that is named and send it again.",
    )
)
DOSE_PAPER_UNKNOWN = declare(
    ProblemType(
        code="vaccination-paper-unknown",
        status=422,
        vi="Chưa có ảnh sổ hoặc phiếu tiêm cho mũi này.",
        en="There is no picture of the booklet or slip for this dose.",
        next_vi="Chụp sổ hoặc phiếu tiêm, gửi vào phần giấy tờ tự thêm, rồi khai mũi tiêm kèm ảnh đó.",
        next_en="Add a picture of the booklet or slip to your papers, then declare the dose with it.",
    )
)
