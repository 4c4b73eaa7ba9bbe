"""What a person reads above what is due."""

from typing import Final

NOTICE_VI: Final = (
    "Danh sách dựa trên tuổi, giới và những gì có trong sổ; lần khám ở nơi chưa gửi dữ liệu thì sổ không "
    "biết. "
    "Đây là gợi ý theo văn bản ghi kèm, không phải chẩn đoán; nên khám gì, khi nào, hãy hỏi bác sĩ."
)
