"""Refusals of the token endpoint. `error` of RFC 6749 section 5.2 is the code without `oauth-`."""

from kernel.problems import ProblemType, declare


def _declare(code: str, status: int, texts: tuple[str, str, str, str]) -> ProblemType:
    vi, en, next_vi, next_en = texts
    return declare(ProblemType(code=code, status=status, vi=vi, en=en, next_vi=next_vi, next_en=next_en))


OAUTH_INVALID_REQUEST = _declare(
    "oauth-invalid-request",
    400,
    (
        "Yêu cầu cấp mã truy cập không đúng mẫu.",
        "The request for a token is malformed.",
        "Kiểm tra tham số được nêu.",
        "Check the named parameter.",
    ),
)
OAUTH_INVALID_CLIENT = _declare(
    "oauth-invalid-client",
    401,
    (
        "Không xác thực được hệ thống gọi.",
        "The client could not be authenticated.",
        "Ký lại bằng khóa đã đăng ký, với mã lượt gọi mới.",
        "Sign anew with a registered key and a new jti.",
    ),
)
OAUTH_INVALID_GRANT = _declare(
    "oauth-invalid-grant",
    400,
    (
        "Mã này không dùng được hoặc đã hết hạn.",
        "This code or refresh token is not good, or no longer.",
        "Xin người dân đồng ý lại.",
        "Ask the person again.",
    ),
)
OAUTH_UNAUTHORIZED_CLIENT = _declare(
    "oauth-unauthorized-client",
    400,
    (
        "Hệ thống gọi không được dùng cách này.",
        "This client may not use this way.",
        "Dùng cách đã đăng ký.",
        "Use the way that is registered.",
    ),
)
OAUTH_UNSUPPORTED_GRANT_TYPE = _declare(
    "oauth-unsupported-grant-type",
    400,
    (
        "Cách xin mã truy cập này không được nhận.",
        "This grant type is not offered.",
        "Dùng cách nêu ở /.well-known/oauth-authorization-server.",
        "Use one named at /.well-known/oauth-authorization-server.",
    ),
)
OAUTH_INVALID_SCOPE = _declare(
    "oauth-invalid-scope",
    400,
    (
        "Phạm vi xin không dùng được.",
        "The scope that was asked for is not offered.",
        "Xin trong phạm vi đã đăng ký.",
        "Ask within what is registered.",
    ),
)
OAUTH_INVALID_DPOP_PROOF = _declare(
    "oauth-invalid-dpop-proof",
    400,
    (
        "Bằng chứng khóa (DPoP) không hợp lệ.",
        "The DPoP proof is missing or does not hold.",
        "Ký bằng chứng mới cho đúng lượt gọi này.",
        "Sign a new proof for this very request.",
    ),
)
