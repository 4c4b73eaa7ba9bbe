"""What the list of administrative units refuses."""

from kernel.problems import ProblemType, declare

LEVEL_UNKNOWN = declare(
    ProblemType(
        code="place-level-unknown",
        status=404,
        vi="Không có cấp đơn vị hành chính này.",
        en="There is no such level of administrative units.",
        next_vi="Dùng province, district hoặc commune.",
        next_en="Use province, district or commune.",
    )
)
