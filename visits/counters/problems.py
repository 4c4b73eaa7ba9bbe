"""What counters refuse."""

from kernel.problems import ProblemType, declare

COUNTER_UNKNOWN = declare(
    ProblemType(
        code="counter-unknown",
        status=404,
        vi="Cơ sở không có quầy này, hoặc quầy đã đóng.",
        en="The facility has no such counter, or it is closed.",
        next_vi="Quét mã ở quầy đang mở, hoặc hỏi nhân viên; nhân viên tải lại danh sách quầy.",
        next_en="Scan the code of an open counter, or ask the staff; staff load the list of counters again.",
    )
)
COUNTER_TAKEN = declare(
    ProblemType(
        code="counter-taken",
        status=409,
        vi="Một quầy đang mở của cơ sở đã dùng mã này.",
        en="An open counter of the facility has this code.",
        next_vi="Chọn mã khác, hoặc đóng quầy kia trước.",
        next_en="Choose another code, or close that counter first.",
    )
)
COUNTERS_FULL = declare(
    ProblemType(
        code="counters-full",
        status=409,
        vi="Cơ sở đã có đủ số quầy được mở cùng lúc.",
        en="The facility has as many open counters as it may.",
        next_vi="Đóng quầy không dùng nữa rồi mở lại.",
        next_en="Close a counter that is no longer used, then try again.",
    )
)
FACILITY_UNCODED = declare(
    ProblemType(
        code="facility-uncoded",
        status=409,
        vi="Cơ sở không có mã cơ sở khám chữa bệnh còn hiệu lực.",
        en="The facility has no code that is valid today.",
        next_vi="Tiếp đón tại bàn; báo người vận hành cập nhật mã của cơ sở.",
        next_en="Receive people at the desk; let the operator enter the facility's code.",
    )
)
COUNTER_SENSITIVE = declare(
    ProblemType(
        code="counter-sensitive",
        status=409,
        vi="Tên hoặc mã của quầy để lộ điều riêng tư của người đứng chờ ở đó.",
        en="The counter's name or code says of whoever waits there what nobody else should read.",
        next_vi="Chọn tên và mã trung tính, hoặc đặt quầy trong khoa được đánh dấu nhạy cảm.",
        next_en="Choose a neutral name and code, or put the counter into a department marked sensitive.",
    )
)
COUNTER_OF_UNIT = declare(
    ProblemType(
        code="counter-of-unit",
        status=409,
        vi="Quầy này thuộc khoa khác với khoa được nêu.",
        en="This counter stands in another unit than the one that is named.",
        next_vi="Chọn quầy của khoa đó, hoặc bỏ một trong hai.",
        next_en="Choose a counter of that unit, or leave one of the two out.",
    )
)
