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
