"""Why there is no list."""

from kernel.problems import ProblemType, declare

REVOCATION_LIST_NOT_FOUND = declare(
    ProblemType(
        code="revocation-list-not-found",
        status=404,
        vi="Không có danh sách thu hồi của khóa này.",
        en="There is no revocation list of this key.",
        next_vi="Tải danh sách các khóa tại /v1/public/certificates/revocations.",
        next_en="Fetch the list of keys at /v1/public/certificates/revocations.",
    )
)
