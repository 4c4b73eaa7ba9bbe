"""Why an item or a file was not taken, in a sentence of each language."""

from typing import Final

from vitals.imports.items import Fault
from vitals.wire import Code

CODES: Final[dict[Code, tuple[str, str]]] = {
    "kind-unknown": ("Sổ không lưu loại số đo này.", "The book keeps no measurements of this kind."),
    "unit-unknown": ("Đơn vị không dùng cho loại số đo này.", "The unit does not belong to this kind."),
    "implausible": (
        "Giá trị không thể có, hoặc là mã lỗi của thiết bị.",
        "The value cannot be, or is an error code of the device.",
    ),
    "future": ("Thời điểm đo ở tương lai.", "The time lies in the future."),
    "too-old": (
        "Đo trước ngày sinh hoặc quá thời gian lưu.",
        "Before the person's birth, or older than such data is kept.",
    ),
    "tz-missing": ("Thời điểm không có múi giờ.", "The time has no zone."),
    "source-index": ("Không rõ thiết bị đo.", "What measured it is not said."),
    "context-missing": (
        "Thiếu hoặc không hiểu hoàn cảnh đo.",
        "The circumstances are missing or not known.",
    ),
    "not-yours": ("Số đo do thiết bị của người khác gửi.", "Another person's device sent it."),
    "too-many": ("Quá nhiều số đo thay đổi cùng lúc.", "Too much changes at once."),
    "interval-invalid": (
        "Khoảng thời gian đo không hợp lệ.",
        "The interval has no end, or an end that cannot be.",
    ),
    "series-shape": ("Chuỗi số đo không hợp lệ.", "The series has no valid shape."),
    "series-not-allowed": ("Loại số đo này không nhận chuỗi.", "This kind has single values only."),
    "version-conflict": (
        "Số đo này đã có với nội dung khác.",
        "The same measurement is there with other content.",
    ),
    "malformed": ("Mục này không đọc được.", "This item cannot be read."),
}
# Also the codes of problems that a whole file can meet.
FAULTS: Final[dict[Fault, tuple[str, str]]] = {
    "form-unknown": (
        "Không nhận ra loại tệp. Sổ đọc Apple Health, Open mHealth (có header), FHIR, Nightscout và CSV có "
        "dòng đầu gồm time, kind, value, unit.",
        "No known kind of file: Apple Health, Open mHealth (with its header), FHIR, Nightscout, CSV whose "
        "first line has time, kind, value and unit.",
    ),
    "file-broken": (
        "Tệp bị hỏng hoặc bị cắt ngang. Những gì đọc được trước đó đã lưu.",
        "The file is damaged or cut off. What was whole before that is stored.",
    ),
    "file-too-large": (
        "Tệp quá lớn. Chia nhỏ rồi gửi lại.",
        "The file is too large. Split it and send the parts.",
    ),
    "archive-unreadable": (
        "Không mở được tệp nén: có mật khẩu hoặc kiểu nén lạ.",
        "The archive cannot be opened: it has a password or is packed in a way we do not know.",
    ),
    "archive-without-export": (
        "Trong tệp nén không có dữ liệu xuất từ Apple Health.",
        "The archive holds no export of Apple Health.",
    ),
    "archive-too-large": (
        "Tệp giải nén ra quá lớn so với bình thường, hoặc đọc rất lâu mà không có số đo nào mới.",
        "The file unpacks to far more than an export does, or nothing new was found in it for very long.",
    ),
    "columns-missing": (
        "Bảng CSV thiếu cột bắt buộc: time, kind, value, unit.",
        "The CSV lacks columns that are needed: time, kind, value, unit.",
    ),
}
