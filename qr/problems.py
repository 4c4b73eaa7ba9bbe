"""Why a scanned text is not accepted."""

from kernel.problems import ProblemType, declare

QR_UNREADABLE = declare(
    ProblemType(
        code="qr-unreadable",
        status=400,
        vi="Không đọc được mã vừa quét.",
        en="The scanned code cannot be read.",
        next_vi="Quét lại mã, giữ máy thẳng và đủ sáng.",
        next_en="Scan the code again, straight and in good light.",
    )
)
QR_VERSION = declare(
    ProblemType(
        code="qr-version-unknown",
        status=400,
        vi="Mã này thuộc phiên bản mới hơn.",
        en="This code is of a newer version.",
        next_vi="Cập nhật ứng dụng rồi quét lại.",
        next_en="Update the app and scan again.",
    )
)
QR_FORGED = declare(
    ProblemType(
        code="qr-signature-invalid",
        status=400,
        vi="Mã này không do Sổ sức khỏe phát hành.",
        en="This code was not issued by the health book.",
        next_vi="Không dùng mã này. Xin mã mới tại nơi hiển thị.",
        next_en="Do not use this code. Ask for a new one where it was shown.",
    )
)
QR_KIND = declare(
    ProblemType(
        code="qr-wrong-kind",
        status=400,
        vi="Mã này dùng cho việc khác.",
        en="This code is for something else.",
        next_vi="Quét đúng mã được yêu cầu.",
        next_en="Scan the code that was asked for.",
    )
)
QR_EXPIRED = declare(
    ProblemType(
        code="qr-expired",
        status=410,
        vi="Mã đã hết hạn.",
        en="The code has expired.",
        next_vi="Làm mới mã trên màn hình rồi quét lại.",
        next_en="Refresh the code on the screen and scan again.",
    )
)
SCAN_UNKNOWN = declare(
    ProblemType(
        code="scan-unknown",
        status=400,
        vi="Không nhận ra nội dung vừa quét.",
        en="What was scanned is not known.",
        next_vi="Quét mã QR trên thẻ căn cước, thẻ BHYT hoặc trong ứng dụng, hay nhập số bằng tay.",
        next_en="Scan the QR code of an identity card, an insurance card or the app, or type the number.",
    )
)
SCANNER_KEYBOARD = declare(
    ProblemType(
        code="scanner-keyboard",
        status=400,
        vi="Máy quét gõ sai ký tự vì bàn phím hoặc bộ gõ của máy tính.",
        en="The scanner types wrong characters because of the computer's keyboard or input method.",
        next_vi="Tắt bộ gõ tiếng Việt, chọn bàn phím tiếng Anh (US) rồi quét lại, hoặc nhập số bằng tay.",
        next_en="Turn the input method off, choose the US keyboard and scan again, or type the number.",
    )
)
CARD_INCOMPLETE = declare(
    ProblemType(
        code="card-incomplete",
        status=400,
        vi="Mã trên thẻ thiếu thông tin.",
        en="The card's code is incomplete.",
        next_vi="Quét lại thẻ; nếu vẫn thiếu, nhập số trên thẻ bằng tay.",
        next_en="Scan the card again; if that does not help, type the number on the card.",
    )
)
CARD_NUMBER = declare(
    ProblemType(
        code="card-number-invalid",
        status=400,
        vi="Số trên thẻ không đúng định dạng.",
        en="The card's number is not one.",
        next_vi="Quét lại thẻ hoặc nhập số in trên thẻ bằng tay.",
        next_en="Scan the card again, or type the number that is printed on it.",
    )
)
CARD_DATE = declare(
    ProblemType(
        code="card-date-impossible",
        status=400,
        vi="Mã trên thẻ ghi một ngày không có thật.",
        en="The card's code names a day that does not exist.",
        next_vi="Quét lại thẻ; nếu vẫn vậy, xem ngày in trên thẻ và nhập bằng tay.",
        next_en="Scan the card again; if it stays so, read the printed date and type it.",
    )
)

# What reading a code of ours can end with, and what reading anything that is scanned can.
CODE_PROBLEMS = (QR_EXPIRED, QR_FORGED, QR_KIND, QR_UNREADABLE, QR_VERSION)
SCAN_PROBLEMS = (
    *CODE_PROBLEMS,
    SCAN_UNKNOWN,
    SCANNER_KEYBOARD,
    CARD_INCOMPLETE,
    CARD_NUMBER,
    CARD_DATE,
)
