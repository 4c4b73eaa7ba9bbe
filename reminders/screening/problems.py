"""What a choice about exams can be refused for."""

from kernel.problems import ProblemType, declare

NO_SUCH_SCREENING = declare(
    ProblemType(
        code="no-such-screening",
        status=404,
        vi="Không có mục khám này.",
        en="There is no such exam.",
        next_vi="Xem danh sách tại /v1/me/screenings.",
        next_en="/v1/me/screenings lists the exams that there are.",
    )
)
SCREENING_DAY_WRONG = declare(
    ProblemType(
        code="screening-day-wrong",
        status=422,
        vi="Ngày khám phải là một ngày đã qua, trong vòng 30 năm.",
        en="The day of an exam has come already, within thirty years.",
        next_vi="Nhập lại ngày đã khám.",
        next_en="Give the day on which it was done.",
    )
)
