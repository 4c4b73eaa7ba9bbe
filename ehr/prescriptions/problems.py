"""What dealing with a prescription can be refused for."""

from kernel.problems import ProblemType, declare

PRESCRIPTION_NOT_FOUND = declare(
    ProblemType(
        code="prescription-not-found",
        status=404,
        vi="Không có đơn thuốc này.",
        en="There is no such prescription.",
        next_vi="Kiểm tra lại mã đơn thuốc, gồm 12 chữ và số, dấu gạch và một chữ cuối.",
        next_en="Check the code: 12 letters and digits, a hyphen and one last letter.",
    )
)
PRESCRIPTION_INVALID = declare(
    ProblemType(
        code="prescription-invalid",
        status=422,
        vi="Một số mục của đơn thuốc chưa đúng.",
        en="Some fields of the prescription are wrong.",
        next_vi="Sửa các mục nêu trong errors rồi gửi lại; đơn đã gửi thì gửi đơn mới, mã mới, nêu mã cũ.",
        next_en="Correct the fields named in errors; what was sent, by a new code that names the old one.",
    )
)
PRESCRIPTION_LAPSED = declare(
    ProblemType(
        code="prescription-lapsed",
        status=409,
        vi="Đơn thuốc đã quá hạn lĩnh thuốc.",
        en="The time to collect this prescription is over.",
        next_vi="Người bệnh cần hỏi lại nơi kê đơn.",
        next_en="The patient asks the prescriber again.",
    )
)
PRESCRIPTION_REPLACED = declare(
    ProblemType(
        code="prescription-replaced",
        status=409,
        vi="Đơn thuốc này đã được thay bằng một đơn mới.",
        en="This prescription was replaced by a new one.",
        next_vi="Hỏi người bệnh mã của đơn mới.",
        next_en="Ask the patient for the code of the new one.",
    )
)
PRESCRIPTION_WITHDRAWN = declare(
    ProblemType(
        code="prescription-withdrawn",
        status=409,
        vi="Cơ sở kê đơn đã thu hồi đơn thuốc này.",
        en="The prescriber withdrew this prescription.",
        next_vi="Người bệnh cần hỏi lại nơi kê đơn.",
        next_en="The patient asks the prescriber again.",
    )
)
PRESCRIPTION_COLLECTED = declare(
    ProblemType(
        code="prescription-collected",
        status=409,
        vi="Đơn thuốc này không còn thuốc để lĩnh.",
        en="Nothing of this prescription is left to collect.",
        next_vi="Xem đơn mới nhất trong danh sách đơn thuốc.",
        next_en="Look at the newest one in the list of prescriptions.",
    )
)
DISPENSE_INVALID = declare(
    ProblemType(
        code="dispense-invalid",
        status=422,
        vi="Dòng thuốc hoặc số lượng cấp chưa đúng.",
        en="A line or a quantity is wrong.",
        next_vi="Mở lại đơn bằng mã và chọn dòng, số lượng theo phần còn lại.",
        next_en="Open the prescription by its code again and choose lines and quantities of what is left.",
    )
)
DISPENSE_TOO_MUCH = declare(
    ProblemType(
        code="dispense-too-much",
        status=409,
        vi="Số lượng cấp vượt quá phần còn lại của đơn.",
        en="More than is left of the prescription.",
        next_vi="Mở lại đơn bằng mã: có thể một nhà thuốc khác vừa cấp.",
        next_en="Open the prescription again: another pharmacy may just have dispensed.",
    )
)
DISPENSE_NOT_FOUND = declare(
    ProblemType(
        code="dispense-not-found",
        status=404,
        vi="Cơ sở của bạn không có lần cấp thuốc này.",
        en="Your facility has no such dispense.",
        next_vi="Kiểm tra lại mã đơn và mã lần cấp.",
        next_en="Check the code of the prescription and the id of the dispense.",
    )
)
DISPENSE_NOT_TODAY = declare(
    ProblemType(
        code="dispense-not-today",
        status=409,
        vi="Chỉ lấy lại được lần cấp thuốc ghi nhầm trong cùng ngày.",
        en="A dispense can be taken back on its own day only.",
        next_vi="Nếu ghi sai, báo cho nơi kê đơn để kê đơn mới thay thế.",
        next_en="If it is wrong, ask the prescriber for a replacement.",
    )
)
