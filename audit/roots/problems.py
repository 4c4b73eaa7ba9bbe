"""What keeps a proof from being made."""

from kernel.problems import ProblemType, declare

PROOF_BUSY = declare(
    ProblemType(
        code="proof-busy",
        status=429,
        vi="Đang có một bằng chứng khác được tạo cho bạn.",
        en="Another proof is being made for you.",
        next_vi="Đợi ít giây rồi thử lại.",
        next_en="Wait a few seconds and try again.",
        retryable=True,
    )
)
NOT_ROOTED_YET = declare(
    ProblemType(
        code="not-rooted-yet",
        status=404,
        vi="Dòng nhật ký này chưa có trong gốc công khai nào, hoặc không tồn tại.",
        en="No public root covers this row of the log yet, or there is no such row.",
        next_vi="Gốc mới được ký mỗi 5 phút: đợi rồi thử lại.",
        next_en="A new root is signed every 5 minutes: wait and try again.",
        retryable=True,
    )
)
NO_SUCH_ROOT = declare(
    ProblemType(
        code="no-such-root",
        status=404,
        vi="Không có gốc công khai mang số này.",
        en="There is no public root with this number.",
        next_vi="Xem danh sách gốc tại /.well-known/audit-roots. Nếu bạn từng giữ gốc này, hãy báo tổng đài.",
        next_en="See the roots at /.well-known/audit-roots. If you kept this root before, tell the hotline.",
    )
)
PATH_TOO_LONG = declare(
    ProblemType(
        code="path-too-long",
        status=422,
        vi="Quá nhiều dòng giữa dòng này và gốc gần nhất để chứng minh riêng lẻ.",
        en="Too many rows lie between this one and the nearest root to prove it alone.",
        next_vi="Tải toàn bộ nhật ký tại /v1/me/access-log/export và kiểm tra cả tệp.",
        next_en="Download the whole log from /v1/me/access-log/export and check the file.",
    )
)
