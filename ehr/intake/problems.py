"""What a received body can be refused for as a whole; its units' reasons stand in the receipt."""

from kernel.problems import ProblemType, declare

RECORDS_UNREADABLE = declare(
    ProblemType(
        code="records-unreadable",
        status=422,
        vi="Không đọc được gói hồ sơ nào trong dữ liệu gửi lên.",
        en="Nothing in what was sent could be read as a record.",
        next_vi="Sửa chỗ được nêu trong errors rồi gửi lại.",
        next_en="Correct the place named in errors and send it again.",
    )
)
RECEIPT_NOT_FOUND = declare(
    ProblemType(
        code="receipt-not-found",
        status=404,
        vi="Không tìm thấy biên nhận này.",
        en="There is no such receipt.",
        next_vi="Kiểm tra lại mã biên nhận.",
        next_en="Check the receipt id.",
    )
)
RECORDS_BUSY = declare(
    ProblemType(
        code="records-busy",
        status=429,
        vi="Hệ thống của bạn đang gửi một gói khác, hoặc dịch vụ đang nhận quá nhiều gói cùng lúc.",
        en="Your system is sending another body, or too many are being taken in at once.",
        next_vi="Chờ gói trước xong và hết thời gian được nêu rồi gửi lại.",
        next_en="Wait for the other one and as long as stated, then send it again.",
        retryable=True,
    )
)
