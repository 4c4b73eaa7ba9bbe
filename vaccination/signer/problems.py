"""What goes wrong between the service and the signer, as people are told."""

from kernel.problems import ProblemType, declare

SIGNER_AWAY = declare(
    ProblemType(
        code="signer-away",
        status=503,
        vi="Chưa ký được chứng nhận lúc này.",
        en="The certificate cannot be signed at the moment.",
        next_vi="Vui lòng thử lại sau ít phút.",
        next_en="Please try again in a few minutes.",
        retryable=True,
    )
)
