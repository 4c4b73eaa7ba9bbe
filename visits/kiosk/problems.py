"""What kiosks refuse."""

from kernel.problems import ProblemType, declare

KIOSK_UNKNOWN = declare(
    ProblemType(
        code="kiosk-unknown",
        status=404,
        vi="Cơ sở không có ki-ốt này, hoặc ki-ốt đã ngừng dùng.",
        en="The facility has no such kiosk, or it was ended.",
        next_vi="Tải lại danh sách ki-ốt.",
        next_en="Load the list of kiosks again.",
    )
)
KIOSKS_FULL = declare(
    ProblemType(
        code="kiosks-full",
        status=409,
        vi="Cơ sở đã có đủ số ki-ốt được dùng cùng lúc.",
        en="The facility has as many kiosks as it may.",
        next_vi="Ngừng ki-ốt không dùng nữa rồi thử lại.",
        next_en="End a kiosk that is no longer used, then try again.",
    )
)
KIOSK_CODE_REFUSED = declare(
    ProblemType(
        code="kiosk-code-refused",
        status=403,
        vi="Mã cài đặt ki-ốt không đúng, đã dùng hoặc đã hết hạn.",
        en="The code for setting up the kiosk is wrong, used or expired.",
        next_vi="Nhờ quản trị của cơ sở cấp mã mới rồi nhập lại.",
        next_en="Ask the facility's administrator for a new code and enter it.",
    )
)
KIOSK_NOT_PLACED = declare(
    ProblemType(
        code="kiosk-not-placed",
        status=403,
        vi="Ki-ốt này không đứng ở quầy nào đang mở.",
        en="This kiosk stands at no open counter.",
        next_vi="Mời người bệnh đến quầy; quản trị của cơ sở cài lại ki-ốt cho một quầy đang mở.",
        next_en="Send people to the desk; the facility's administrator sets the kiosk up at an open counter.",
    )
)
PAYMENT_ENDED = declare(
    ProblemType(
        code="payment-ended",
        status=409,
        vi="Giao dịch này đã kết thúc với trạng thái khác.",
        en="This payment ended in another way already.",
        next_vi="Tạo giao dịch mới với mã tham chiếu mới, hoặc hỏi quầy thu ngân.",
        next_en="Begin another payment with a new reference, or ask the cashier.",
    )
)
PAYMENT_REFERENCE = declare(
    ProblemType(
        code="payment-reference-card",
        status=422,
        vi="Mã tham chiếu trông như số thẻ thanh toán; hệ thống không nhận dữ liệu thẻ.",
        en="The reference looks like the number of a payment card; no card data is taken here.",
        next_vi="Gửi mã giao dịch của máy thanh toán; nếu mã toàn chữ số, chèn một chữ cái vào giữa dãy số.",
        next_en="Send the terminal's transaction id; one that is all digits gets a letter in the middle.",
    )
)
