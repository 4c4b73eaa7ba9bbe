"""What a health check can be refused for."""

from kernel.problems import ProblemType, declare

CHECK_INVALID = declare(
    ProblemType(
        code="health-check-invalid",
        status=422,
        vi="Một số ô của phiếu khám sức khỏe chưa đúng.",
        en="Some fields of the health check are wrong.",
        next_vi="Sửa các ô được nêu trong errors rồi gửi lại.",
        next_en="Correct the fields named in errors and send it again.",
    )
)
CHECK_FORM_UNKNOWN = declare(
    ProblemType(
        code="health-check-form-unknown",
        status=422,
        vi="Không có mẫu phiếu khám này, hoặc mẫu không dùng cho loại khám này.",
        en="There is no such form, or it is not for this kind of check.",
        next_vi="Xem danh sách mẫu phiếu khám.",
        next_en="Look at the list of forms.",
    )
)
CHECK_NOT_FOUND = declare(
    ProblemType(
        code="health-check-not-found",
        status=404,
        vi="Không tìm thấy phiếu khám sức khỏe này.",
        en="There is no such health check.",
        next_vi="Xem lại danh sách phiếu khám sức khỏe.",
        next_en="Look at the list of health checks again.",
    )
)
CHECK_EXISTS = declare(
    ProblemType(
        code="health-check-exists",
        status=409,
        vi="Phiếu khám mang số này, cùng loại và cùng ngày, đã được nhập.",
        en="A check of this number, kind and day was entered before.",
        next_vi="Sửa phiếu đã có, hoặc dùng số phiếu khác.",
        next_en="Amend the one that is there, or use another number.",
    )
)
CHECK_WITHDRAWN = declare(
    ProblemType(
        code="health-check-withdrawn",
        status=409,
        vi="Phiếu khám sức khỏe này đã được rút lại.",
        en="This health check was withdrawn.",
        next_vi="Lập phiếu mới với số phiếu khác.",
        next_en="Make a new one with another number.",
    )
)
