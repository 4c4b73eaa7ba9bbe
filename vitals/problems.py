"""What a batch as a whole is refused for. What an item is refused for are codes of the answer (wire.py)."""

from kernel.problems import ProblemType, declare

BATCH_MALFORMED = declare(
    ProblemType(
        code="batch-malformed",
        status=400,
        vi="Gói số đo không đọc được.",
        en="The batch of measurements cannot be read.",
        next_vi="Bỏ gói này. Cập nhật ứng dụng nếu lỗi còn lặp lại.",
        next_en="Drop this batch. Update the app if it happens again.",
    )
)
BATCH_TOO_LARGE = declare(
    ProblemType(
        code="batch-too-large",
        status=413,
        vi="Gói số đo quá lớn.",
        en="The batch of measurements is too large.",
        next_vi="Chia thành các gói nhỏ hơn rồi gửi lại.",
        next_en="Split it into smaller batches and send them again.",
    )
)
BATCH_SEQ_REUSED = declare(
    ProblemType(
        code="batch-seq-reused",
        status=409,
        vi="Số thứ tự gói này đã dùng cho nội dung khác.",
        en="This sequence number was used for other content.",
        next_vi="Gửi lại với số thứ tự mới.",
        next_en="Send it again with a new sequence number.",
    )
)
BATCHES_BUSY = declare(
    ProblemType(
        code="batches-busy",
        status=429,
        vi="Máy chủ đang nhận quá nhiều số đo.",
        en="The server is taking in too many measurements.",
        next_vi="Giữ gói trong máy và gửi lại sau thời gian nêu ở Retry-After.",
        next_en="Keep the batch on the phone and send it again after Retry-After.",
        retryable=True,
    )
)
VITAL_DEVICE_REVOKED = declare(
    ProblemType(
        code="vital-device-revoked",
        status=403,
        vi="Thiết bị này đã bị gỡ khỏi sổ.",
        en="This device was removed from the book.",
        next_vi="Ngừng gửi từ thiết bị này. Muốn dùng lại, kết nối lại trong ứng dụng.",
        next_en="Stop sending from this device. To use it again, connect it anew in the app.",
    )
)
VITAL_DEVICES_FULL = declare(
    ProblemType(
        code="vital-devices-full",
        status=409,
        vi="Sổ đã có quá nhiều thiết bị đo.",
        en="The book has too many measuring devices.",
        next_vi="Gỡ thiết bị không còn dùng rồi gửi lại.",
        next_en="Remove a device that is no longer used, then send again.",
    )
)
VITAL_SOURCES_FULL = declare(
    ProblemType(
        code="vital-sources-full",
        status=409,
        vi="Sổ đã có quá nhiều nguồn đo.",
        en="The book has too many sources of measurements.",
        next_vi="Gửi lại bằng một nguồn đã có trong danh sách thiết bị của sổ.",
        next_en="Send it again under a source that the book's list of devices has already.",
    )
)
VITAL_DEVICE_UNKNOWN = declare(
    ProblemType(
        code="vital-device-unknown",
        status=404,
        vi="Không có thiết bị đo này.",
        en="There is no such measuring device.",
        next_vi="Tải lại danh sách thiết bị.",
        next_en="Load the list of devices again.",
    )
)
VITAL_SOURCE_UNKNOWN = declare(
    ProblemType(
        code="vital-source-unknown",
        status=404,
        vi="Không có nguồn đo này.",
        en="There is no such source of measurements.",
        next_vi="Tải lại danh sách thiết bị.",
        next_en="Load the list of devices again.",
    )
)
