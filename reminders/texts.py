"""What a person reads beside a reminder."""

from typing import Final

from reminders.models import Asks, Why

ASKS_VI: Final[dict[Asks, str]] = {
    "times": "Đơn không ghi rõ giờ dùng. Hỏi bác sĩ hoặc dược sĩ, rồi đặt giờ ở đây.",
    "end": "Đơn không ghi rõ dùng đến khi nào. Hỏi bác sĩ hoặc dược sĩ, rồi nhập số ngày dùng.",
    "pharmacist": "Thuốc này có thể không dùng hằng ngày hoặc đổi liều theo ngày, nên không đặt giờ nhắc. "
    "Hỏi bác sĩ hoặc dược sĩ cách dùng.",
}
WHY_VI: Final[dict[Why, str]] = {
    "no-frequency": "Đơn không ghi mỗi ngày dùng mấy lần, vào lúc nào.",
    "range": "Đơn ghi số lần hoặc số giờ theo khoảng (ví dụ 2-3 lần).",
    "times-differ": "Số lần dùng và các buổi ghi trong đơn không khớp nhau.",
    "too-often": "Đơn ghi nhiều lần trong ngày mà không ghi giờ.",
    "unread": "Đơn ghi ngày dùng, liều hoặc lựa chọn mà ứng dụng không đọc chắc chắn được.",
    "changing-dose": "Đơn đổi liều theo ngày mà không ghi rõ giờ hoặc số ngày của từng chặng.",
    "no-end": "Đơn không ghi số ngày dùng.",
    "too-little": "Số thuốc đã nhận ít hơn một liều ghi trong đơn, nên chưa đặt giờ nhắc.",
}
# After `too-little` the end is known, and is before the first dose.
END_UNSAID_VI: Final = "Hỏi bác sĩ hoặc dược sĩ, rồi nhập giờ và số ngày dùng ở đây."
AS_NEEDED_VI: Final = "Chỉ dùng khi cần, theo lời dặn trong đơn; không có giờ nhắc."
OWN_TIMES_VI: Final = (
    "Đơn ghi {ordered} lần mỗi ngày, giờ bạn đặt là {own} lần. Hỏi bác sĩ hoặc dược sĩ trước khi đổi số lần."
)
AMOUNT_RANGE_VI: Final = (
    "Đơn ghi lượng mỗi lần theo khoảng, xem nguyên văn trong đơn. "
    "Hỏi bác sĩ hoặc dược sĩ mỗi lần dùng bao nhiêu."
)
SAME_INGREDIENT_VI: Final = "Sổ đang có thuốc khác cùng hoạt chất."
COUNTED_VI: Final = (
    "Đếm theo lời nhắc đã đến giờ và những gì bạn đã trả lời; chỉ bạn (và người giám hộ của trẻ dưới 15 "
    "tuổi) xem được. Quên một lần không phải là lỗi: hỏi bác sĩ hoặc dược sĩ khi bỏ lỡ thuốc."
)
MISSED_VI: Final = (
    "Những giờ dùng thuốc trong 24 giờ qua chưa được trả lời. Chưa trả lời không có nghĩa là chưa uống: "
    "hãy hỏi thăm, đừng tự cho uống bù khi chưa hỏi bác sĩ hoặc dược sĩ."
)
NOTICE_VI: Final = (
    "Giờ nhắc là gợi ý theo đơn và số thuốc đã phát; giờ của sáng, trưa, chiều, tối do ứng dụng đặt sẵn "
    "và bạn có thể đổi. Lời nhắc có thể đến chậm; không thay lời dặn của bác sĩ, dược sĩ."
)
