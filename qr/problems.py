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
