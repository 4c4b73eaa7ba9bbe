"""What switching a kind can be refused for."""

from kernel.problems import ProblemType, declare

NO_SUCH_KIND = declare(
    ProblemType(
        code="no-such-reminder-kind",
        status=404,
        vi="Không có loại lời nhắc này.",
        en="There is no such kind of reminder.",
        next_vi="Xem các loại tại /v1/me/reminders/kinds.",
        next_en="/v1/me/reminders/kinds lists the kinds that there are.",
    )
)
