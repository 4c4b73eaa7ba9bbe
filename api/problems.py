"""Problems of the HTTP surface itself, and the one shape every error has on the wire (RFC 9457)."""

import msgspec
from msgspec import Struct

from kernel.problems import ProblemType, Refused, declare

PROBLEM_MEDIA_TYPE = "application/problem+json"


class FieldProblem(Struct, kw_only=True):
    """A place in the request that was not accepted: a field, a parameter or a header, never its value."""

    where: str


class Problem(Struct, kw_only=True, omit_defaults=True):
    """An error. `title` and `title_en` say what happened, `detail` and `detail_en` what to do next.

    Nothing in it differs between two requests that fail in the same way; the id of the request
    stands in the header X-Request-Id.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    title_en: str
    detail_en: str
    retryable: bool = False
    errors: list[FieldProblem] = []
    retry_after_seconds: int | None = None
    remaining: int | None = None
    link: str | None = None


def problem_body(refused: Refused) -> bytes:
    """The problem as it goes over the wire."""
    kind = refused.problem
    return msgspec.json.encode(
        Problem(
            type=f"/problems/{kind.code}",
            title=kind.vi,
            status=kind.status,
            detail=kind.next_vi,
            code=kind.code,
            title_en=kind.en,
            detail_en=kind.next_en,
            retryable=kind.retryable,
            errors=[FieldProblem(where=refused.where)] if refused.where else [],
            retry_after_seconds=refused.retry_after_seconds,
            remaining=refused.remaining,
            link=refused.link,
        )
    )


MALFORMED_BODY = declare(
    ProblemType(
        code="malformed-body",
        status=400,
        vi="Nội dung gửi lên không phải là JSON hợp lệ.",
        en="The request body is not valid JSON.",
        next_vi="Kiểm tra lại định dạng rồi gửi lại.",
        next_en="Check the format and send it again.",
    )
)
INVALID_FIELD = declare(
    ProblemType(
        code="invalid-field",
        status=400,
        vi="Có một trường thiếu, thừa hoặc không đúng.",
        en="A field is missing, unknown or not valid.",
        next_vi="Sửa trường được nêu trong errors rồi gửi lại.",
        next_en="Correct the field named in errors and send it again.",
    )
)
BAD_HOST = declare(
    ProblemType(
        code="bad-host",
        status=400,
        vi="Địa chỉ máy chủ trong yêu cầu không được phục vụ ở đây.",
        en="The host named in the request is not served here.",
        next_vi="Dùng đúng địa chỉ của dịch vụ.",
        next_en="Use the address of the service.",
    )
)
BAD_REQUEST = declare(
    ProblemType(
        code="bad-request",
        status=400,
        vi="Yêu cầu không hợp lệ.",
        en="The request is not valid.",
        next_vi="Kiểm tra lại yêu cầu rồi gửi lại.",
        next_en="Check the request and send it again.",
    )
)
NOT_SIGNED_IN = declare(
    ProblemType(
        code="not-signed-in",
        status=401,
        vi="Chưa đăng nhập hoặc phiên đăng nhập đã hết.",
        en="You are not signed in, or the session has ended.",
        next_vi="Đăng nhập rồi thử lại.",
        next_en="Sign in and try again.",
    )
)
ROLE_NOT_ALLOWED = declare(
    ProblemType(
        code="role-not-allowed",
        status=403,
        vi="Vai trò của bạn không được dùng chức năng này.",
        en="Your role may not use this function.",
        next_vi="Dùng tài khoản có vai trò phù hợp.",
        next_en="Use an account with a suitable role.",
    )
)
NOT_FOUND = declare(
    ProblemType(
        code="not-found",
        status=404,
        vi="Không có nội dung này.",
        en="There is nothing here.",
        next_vi="Kiểm tra lại địa chỉ.",
        next_en="Check the address.",
    )
)
METHOD_NOT_ALLOWED = declare(
    ProblemType(
        code="method-not-allowed",
        status=405,
        vi="Địa chỉ này không nhận phương thức đó.",
        en="This address does not take that method.",
        next_vi="Dùng phương thức nêu trong tiêu đề Allow.",
        next_en="Use a method named in the Allow header.",
    )
)
BODY_TOO_LARGE = declare(
    ProblemType(
        code="body-too-large",
        status=413,
        vi="Nội dung gửi lên quá lớn.",
        en="The request body is too large.",
        next_vi="Chia nhỏ rồi gửi lại.",
        next_en="Split it and send it again.",
    )
)
UNSUPPORTED_MEDIA_TYPE = declare(
    ProblemType(
        code="unsupported-media-type",
        status=415,
        vi="Kiểu nội dung này không được nhận.",
        en="This content type is not taken.",
        next_vi="Gửi bằng kiểu nội dung nêu trong tài liệu.",
        next_en="Send it with the content type of the documentation.",
    )
)
INTERNAL_ERROR = declare(
    ProblemType(
        code="internal-error",
        status=500,
        vi="Máy chủ gặp lỗi.",
        en="The server met an error.",
        next_vi="Thử lại sau. Nếu vẫn lỗi, báo mã ở tiêu đề X-Request-Id.",
        next_en="Try again later. If it stays, report the id of the header X-Request-Id.",
        retryable=True,
    )
)
# On every route that a client's token opens: RFC 9449 section 7.1.
PROOF_INVALID = declare(
    ProblemType(
        code="dpop-proof-invalid",
        status=401,
        vi="Bằng chứng khóa (DPoP) không hợp lệ.",
        en="The DPoP proof is missing or does not hold.",
        next_vi="Ký bằng chứng mới cho đúng lượt gọi này.",
        next_en="Sign a new proof for this very request.",
    )
)
UNAVAILABLE = declare(
    ProblemType(
        code="unavailable",
        status=503,
        vi="Dịch vụ đang bận hoặc tạm ngừng.",
        en="The service is busy or paused.",
        next_vi="Thử lại sau ít giây.",
        next_en="Try again in a few seconds.",
        retryable=True,
    )
)
# Before anything else of a call of /v1 that says its app, with the store's address as `link`.
APP_TOO_OLD = declare(
    ProblemType(
        code="app-too-old",
        status=426,
        vi="Phiên bản ứng dụng này quá cũ, không dùng được nữa.",
        en="This version of the app is too old to be used any more.",
        next_vi="Cập nhật ứng dụng từ cửa hàng rồi mở lại.",
        next_en="Update the app from the store and open it again.",
    )
)
NO_PROVIDER = declare(
    ProblemType(
        code="no-provider",
        status=503,
        vi="Chưa cấu hình nhà cung cấp tin nhắn.",
        en="No provider for messages is set.",
        next_vi="Người vận hành cần đặt nhà cung cấp SMS và thông báo đẩy.",
        next_en="The operator has to set the providers of SMS and push.",
    )
)
