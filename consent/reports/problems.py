"""What a report of an access can be refused for."""

from kernel.problems import ProblemType, declare

REPORT_UNKNOWN = declare(
    ProblemType(
        code="access-report-unknown",
        status=404,
        vi="Không có báo cáo này.",
        en="There is no such report.",
        next_vi="Tải lại danh sách.",
        next_en="Load the list again.",
    )
)
NOT_REPORTABLE = declare(
    ProblemType(
        code="access-not-reportable",
        status=409,
        vi="Không báo cáo được dòng nhật ký này.",
        en="This line of the log cannot be reported.",
        next_vi="Chọn một dòng do người khác thực hiện trong nhật ký của bạn.",
        next_en="Choose a line of your log that is somebody else's act.",
    )
)
REPORTS_TOO_MANY = declare(
    ProblemType(
        code="access-reports-too-many",
        status=409,
        vi="Bạn đang có quá nhiều báo cáo chưa xong.",
        en="Too many of your reports wait for an answer.",
        next_vi="Chờ trả lời các báo cáo đã gửi.",
        next_en="Wait until some of them are answered.",
    )
)
REPORT_DECIDED = declare(
    ProblemType(
        code="access-report-decided",
        status=409,
        vi="Báo cáo này đã có kết luận.",
        en="This report was decided already.",
        next_vi="Tải lại để xem kết luận.",
        next_en="Load it again to see the outcome.",
    )
)
REPORT_NOT_YOURS = declare(
    ProblemType(
        code="access-report-own",
        status=403,
        vi="Người bị báo cáo không được tự trả lời.",
        en="Whoever is reported cannot answer the report.",
        next_vi="Để cán bộ bảo vệ dữ liệu khác trả lời.",
        next_en="Let another privacy officer answer.",
    )
)
