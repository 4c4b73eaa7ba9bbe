"""What the store refuses."""

from kernel.problems import ProblemType, declare

IDEMPOTENCY_KEY_INVALID = declare(
    ProblemType(
        code="idempotency-key-invalid",
        status=400,
        vi="Mã chống gửi trùng không hợp lệ.",
        en="The Idempotency-Key is not 16 to 64 letters, digits, '-' or '_'.",
        next_vi="Ứng dụng cần tạo một mã ngẫu nhiên mới, ví dụ UUID.",
        next_en="Make a new random key, for example a UUID.",
    )
)
IDEMPOTENCY_KEY_REUSED = declare(
    ProblemType(
        code="idempotency-key-reused",
        status=422,
        vi="Mã chống gửi trùng đã dùng cho một nội dung khác.",
        en="This Idempotency-Key was used with a different request.",
        next_vi="Gửi lại với một mã mới.",
        next_en="Send the request with a new key.",
    )
)
ALREADY_CREATED = declare(
    ProblemType(
        code="already-created",
        status=409,
        vi="Việc này đã làm xong; mã bí mật chỉ hiện một lần.",
        en="This was done before; a secret is shown only once.",
        next_vi="Nếu chưa nhận được mã, hãy làm lại từ đầu.",
        next_en="If the secret was lost, start again with a new request.",
    )
)
IDEMPOTENCY_KEYS_EXHAUSTED = declare(
    ProblemType(
        code="idempotency-keys-exhausted",
        status=429,
        vi="Quá nhiều yêu cầu tạo mới trong một ngày.",
        en="Too many creating requests in one day.",
        next_vi="Thử lại vào ngày mai.",
        next_en="Try again tomorrow.",
        retryable=True,
    )
)
