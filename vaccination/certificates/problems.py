"""Why there is no certificate, and what is not done with one."""

from kernel.problems import ProblemType, declare

CERTIFICATE_NOT_FOUND = declare(
    ProblemType(
        code="certificate-not-found",
        status=404,
        vi="Không có chứng nhận này, hoặc nó không còn hiệu lực.",
        en="There is no such certificate, or it holds no longer.",
        next_vi="Xem lại danh sách chứng nhận.",
        next_en="Look at the list of certificates again.",
    )
)
DOSE_NOT_FOUND = declare(
    ProblemType(
        code="dose-not-found",
        status=404,
        vi="Không có mũi tiêm này trong sổ.",
        en="There is no such dose in the book.",
        next_vi="Xem lại danh sách mũi tiêm.",
        next_en="Look at the list of doses again.",
    )
)
DOSE_NOT_ELIGIBLE = declare(
    ProblemType(
        code="dose-not-eligible",
        status=409,
        vi="Chưa cấp được chứng nhận cho mũi này.",
        en="No certificate can be issued for this dose yet.",
        next_vi="Xem lý do của mũi này trong danh sách chứng nhận.",
        next_en="See the reasons beside this dose in the list of certificates.",
    )
)
CERTIFICATE_BEING_MADE = declare(
    ProblemType(
        code="certificate-being-made",
        status=409,
        vi="Chứng nhận của mũi này đang được ký.",
        en="The certificate of this dose is being signed.",
        next_vi="Thử lại sau vài giây.",
        next_en="Try again in a few seconds.",
        retryable=True,
    )
)
LATIN_NAME_DIFFERS = declare(
    ProblemType(
        code="latin-name-differs",
        status=422,
        vi="Tên không dấu này có chữ khác với họ tên trong sổ.",
        en="This Latin name has other letters than the name in the book.",
        next_vi="Chỉ đổi chỗ tách họ và tên. Nếu hộ chiếu ghi khác, mang hộ chiếu tới nơi hỗ trợ.",
        next_en="Change only where the family name ends. If the passport differs, take it to the help desk.",
    )
)
CONFIRMATION_UNKNOWN = declare(
    ProblemType(
        code="confirmation-unknown",
        status=404,
        vi="Không có mũi này chờ xác nhận, hoặc mũi đã được sửa.",
        en="No such dose waits to be confirmed, or it was changed.",
        next_vi="Tải lại danh sách chờ xác nhận.",
        next_en="Load the list again.",
    )
)
CONFIRMED_BY_SENDER = declare(
    ProblemType(
        code="confirmed-by-sender",
        status=409,
        vi="Người đã nhập mũi này không tự xác nhận được.",
        en="Whoever entered this dose cannot confirm it.",
        next_vi="Nhờ một người khác của cơ sở xác nhận.",
        next_en="Ask another account of the facility to confirm it.",
    )
)
