"""What the emergency card and its contacts refuse."""

from kernel.problems import ProblemType, declare

CARD_UNKNOWN = declare(
    ProblemType(
        code="emergency-card-unknown",
        status=404,
        vi="Không mở được thẻ khẩn cấp này.",
        en="This emergency card does not open.",
        next_vi="Quét lại mã. Nếu cần gấp, bác sĩ khoa cấp cứu dùng quyền truy cập khẩn cấp.",
        next_en="Scan again. If it is urgent, a doctor of an emergency unit can use emergency access.",
    )
)
CARD_OFF = declare(
    ProblemType(
        code="emergency-card-off",
        status=404,
        vi="Thẻ khẩn cấp đang tắt.",
        en="The emergency card is off.",
        next_vi="Bật thẻ và chọn từng mục muốn hiện.",
        next_en="Turn the card on and tick each line that it may show.",
    )
)
SIGNATURE_NEEDED = declare(
    ProblemType(
        code="step-up-needed",
        status=403,
        vi="Việc này cần xác nhận bằng khóa của thiết bị.",
        en="This needs the device's own key.",
        next_vi="Mở khóa bằng sinh trắc học hoặc PIN rồi gửi lại.",
        next_en="Unlock with biometrics or PIN and send it again.",
    )
)
TOO_MANY_CONTACTS = declare(
    ProblemType(
        code="too-many-emergency-contacts",
        status=409,
        vi="Bạn đã có đủ 5 liên hệ khẩn cấp.",
        en="You already have five emergency contacts.",
        next_vi="Bỏ một người trước khi thêm người khác.",
        next_en="Remove one before you add another.",
    )
)
UNKNOWN_CONTACT = declare(
    ProblemType(
        code="emergency-contact-unknown",
        status=404,
        vi="Không có liên hệ khẩn cấp này.",
        en="There is no such emergency contact.",
        next_vi="Tải lại danh sách liên hệ.",
        next_en="Load the list of contacts again.",
    )
)
INVITATION_UNKNOWN = declare(
    ProblemType(
        code="contact-code-unknown",
        status=404,
        vi="Mã này không dùng được.",
        en="This code does not open anything.",
        next_vi="Xem lại mã trong tin nhắn. Mã hết hạn sau 7 ngày nếu chưa đồng ý.",
        next_en="Look at the code in the message again. It ends after seven days without an answer.",
    )
)
