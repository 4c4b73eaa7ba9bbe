"""What a person reads beside a reminder."""

from typing import Final

from reminders.models import Asks

ASKS_VI: Final[dict[Asks, str]] = {
    "times": "Đơn không ghi rõ giờ dùng. Hỏi bác sĩ hoặc dược sĩ, rồi đặt giờ ở đây.",
    "end": "Đơn không ghi rõ dùng đến khi nào. Hỏi bác sĩ hoặc dược sĩ, rồi nhập số ngày dùng.",
    "pharmacist": "Thuốc này có thể không dùng hằng ngày hoặc đổi liều theo ngày, nên không đặt giờ nhắc. "
    "Hỏi bác sĩ hoặc dược sĩ cách dùng.",
}
AS_NEEDED_VI: Final = "Chỉ dùng khi cần, theo lời dặn trong đơn; không có giờ nhắc."
COUNTED_VI: Final = (
    "Đếm theo lời nhắc đã đến giờ và những gì bạn đã trả lời; chỉ bạn (và người giám hộ của trẻ dưới 15 tuổi) "
    "xem được. Quên một lần không phải là lỗi: hỏi bác sĩ hoặc dược sĩ khi bỏ lỡ thuốc."
)
NOTICE_VI: Final = (
    "Giờ nhắc là gợi ý theo đơn và số thuốc đã phát; giờ của sáng, trưa, chiều, tối do ứng dụng đặt sẵn "
    "và bạn có thể đổi. Lời nhắc có thể đến chậm; không thay lời dặn của bác sĩ, dược sĩ."
)
