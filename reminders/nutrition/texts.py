"""What a person reads above what is said about food."""

from typing import Final

DIET_ORDER_VI: Final = "Chế độ ăn được chỉ định"
WEEKLY_VI: Final = "Lời dặn về ăn uống trong tuần"
ADVICE_VI: Final = "Lời dặn của lần khám"
NOT_TO_EAT_VI: Final = "Không dùng: {what}"
NOTICE_VI: Final = (
    "Lời ghi ở đây giữ nguyên như nguồn đã viết, kèm nơi và ngày. Lời dặn cũ có thể không còn đúng; khi thay "
    "đổi chế độ ăn vì bệnh, hãy hỏi bác sĩ hoặc cán bộ dinh dưỡng."
)
