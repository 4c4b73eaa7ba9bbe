"""Why there is no health card."""

from kernel.problems import ProblemType, declare

CARD_NOT_FOUND = declare(
    ProblemType(
        code="health-card-not-found",
        status=404,
        vi="Không có thẻ này, hoặc thẻ đã bị thu hồi.",
        en="There is no such card, or it was revoked.",
        next_vi="Xem lại danh sách thẻ.",
        next_en="Look at the list of cards again.",
    )
)
CARD_EMPTY = declare(
    ProblemType(
        code="health-card-empty",
        status=409,
        vi="Chưa có mũi tiêm nào ghi được lên thẻ này.",
        en="No dose can stand on this card yet.",
        next_vi="Xem lý do của từng mũi trong danh sách thẻ.",
        next_en="See the reasons beside each dose in the list of cards.",
    )
)
CARD_PERSON_UNCLEAR = declare(
    ProblemType(
        code="health-card-person-unclear",
        status=409,
        vi="Sổ chưa có họ tên hoặc ngày sinh để ghi lên thẻ.",
        en="The book has no name or no birth date for the card.",
        next_vi="Xác minh giấy tờ tại một cơ sở.",
        next_en="Have your identity card verified at a facility.",
    )
)
CARD_BEING_MADE = declare(
    ProblemType(
        code="health-card-being-made",
        status=409,
        vi="Thẻ này đang được ký.",
        en="This card is being signed.",
        next_vi="Thử lại sau vài giây.",
        next_en="Try again in a few seconds.",
        retryable=True,
    )
)
CARD_KEY_UNKNOWN = declare(
    ProblemType(
        code="health-card-key-unknown",
        status=404,
        vi="Không có khóa thẻ này.",
        en="There is no such key of health cards.",
        next_vi="Lấy lại danh sách khóa của nơi phát hành.",
        next_en="Fetch the issuer's keys again.",
    )
)
