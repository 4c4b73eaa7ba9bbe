"""What reading the book and declaring a dose refuse; the words of the gate are those of statements."""

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
DOSES_NOT_GRANTED = declare(
    ProblemType(
        code="vaccination-not-granted",
        status=403,
        vi="Quyền xem hiện có không gồm phần tiêm chủng.",
        en="The access in force does not cover vaccinations.",
        next_vi="Xin người bệnh đồng ý cho xem phần tiêm chủng. Không kết luận là chưa tiêm mũi nào.",
        next_en="Ask the person to grant access to vaccinations. This does not say that there are none.",
    )
)
