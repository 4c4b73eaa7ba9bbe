"""What can be refused to somebody who signs up or changes the own account."""

from kernel.problems import ProblemType, declare

IDENTITY_UNPROVEN = declare(
    ProblemType(
        code="identity-unproven",
        status=403,
        vi="Việc này cần tài khoản đã xác minh danh tính.",
        en="This needs an account whose identity was proven.",
        next_vi="Xác minh danh tính mức 2, hoặc mang thẻ đến quầy của cơ sở y tế để được kích hoạt.",
        next_en="Prove your identity at level 2, or be activated with your card at the desk of a facility.",
    )
)
IDENTITY_AT_DESK = declare(
    ProblemType(
        code="identity-at-desk",
        status=409,
        vi="Thông tin đã xác minh chưa khớp với sổ mang số này, nên chưa mở được sổ ở đây.",
        en="What was proven does not yet agree with the book of this number, so it is not opened here.",
        next_vi="Mang thẻ căn cước đến quầy của cơ sở y tế để được kích hoạt.",
        next_en="Take your card to the desk of a facility and be activated there.",
    )
)
BIRTH_DATE_INVALID = declare(
    ProblemType(
        code="birth-date-invalid",
        status=400,
        vi="Ngày sinh không đúng.",
        en="The birth date is not valid.",
        next_vi="Nhập năm sinh, hoặc tháng và năm, hoặc đủ ngày tháng năm sinh; không được sau hôm nay.",
        next_en="Give a year, a year and month, or a whole date that has passed.",
    )
)
