"""Why there is no schedule to show."""

from kernel.problems import ProblemType, declare

BIRTH_DATE_UNCLEAR = declare(
    ProblemType(
        code="schedule-birth-date-unclear",
        status=409,
        vi="Chưa rõ ngày sinh đầy đủ, nên chưa tính được lịch tiêm.",
        en="The full birth date is not known, so no schedule can be computed.",
        next_vi="Đề nghị cơ sở y tế hoặc cán bộ hộ tịch bổ sung ngày sinh.",
        next_en="Ask a health facility or the registry officer to add the birth date.",
    )
)
SCHEDULE_NOT_GRANTED = declare(
    ProblemType(
        code="schedule-not-granted",
        status=403,
        vi="Quyền xem hiện có không gồm phần tiêm chủng, nên không tính được lịch tiêm.",
        en="The access in force does not cover vaccinations, so no schedule can be computed.",
        next_vi="Xin người bệnh đồng ý cho xem phần tiêm chủng.",
        next_en="Ask the person to grant access to vaccinations.",
    )
)
