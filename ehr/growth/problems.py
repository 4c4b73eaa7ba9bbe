"""Why there is no growth to show."""

from kernel.problems import ProblemType, declare

CHILDREN_ONLY = declare(
    ProblemType(
        code="growth-children-only",
        status=409,
        vi="Biểu đồ tăng trưởng chỉ dành cho trẻ dưới 19 tuổi.",
        en="Growth charts are for children under 19 only.",
        next_vi="Xem chiều cao, cân nặng trong mục dấu hiệu sinh tồn.",
        next_en="See height and weight among the vital signs.",
    )
)
PERSON_UNCLEAR = declare(
    ProblemType(
        code="growth-person-unclear",
        status=409,
        vi="Chưa rõ ngày sinh đầy đủ hoặc giới tính, nên chưa so được với trẻ cùng tuổi.",
        en="The full birth date or the sex is not known, so there is nothing to compare with.",
        next_vi="Đề nghị cơ sở y tế hoặc cán bộ hộ tịch bổ sung ngày sinh và giới tính.",
        next_en="Ask a health facility or the registry officer to add birth date and sex.",
    )
)
UNKNOWN_CHART = declare(
    ProblemType(
        code="growth-chart-unknown",
        status=404,
        vi="Không có biểu đồ này.",
        en="There is no such chart.",
        next_vi="Dùng địa chỉ biểu đồ trong câu trả lời về tăng trưởng.",
        next_en="Use a chart address from the growth answer.",
    )
)
