"""What a question to the statistics can be refused for."""

from kernel.problems import ProblemType, declare

STATISTICS_NOT_READY = declare(
    ProblemType(
        code="statistics-not-ready",
        status=404,
        vi="Chưa có số liệu của ngày này.",
        en="There are no figures of this day.",
        next_vi="Số liệu được tính mỗi đêm; xem các ngày có số liệu tại /v1/department/statistics.",
        next_en="Figures are made each night; /v1/department/statistics lists the days that have them.",
    )
)
NO_SUCH_REPORT = declare(
    ProblemType(
        code="no-such-report",
        status=404,
        vi="Không có báo cáo này.",
        en="There is no such report.",
        next_vi="Các báo cáo: coverage, completeness, cases, freshness, intake, documents.",
        next_en="The reports are coverage, completeness, cases, freshness, intake, documents.",
    )
)
