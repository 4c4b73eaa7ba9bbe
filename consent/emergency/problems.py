"""What breaking the glass refuses. A person who did not arrive and one who does not exist are one refusal."""

from consent.emergency.policy import ATTESTATION
from kernel.problems import ProblemType, declare

NO_EMERGENCY_UNIT = declare(
    ProblemType(
        code="emergency-unit-required",
        status=403,
        vi="Vai trò này không thuộc đơn vị cấp cứu.",
        en="This role works in no emergency unit.",
        next_vi="Đăng nhập bằng vai trò ở đơn vị cấp cứu, hoặc xin người bệnh đồng ý.",
        next_en="Sign in with a role of the emergency unit, or ask the person for access.",
    )
)
PROVE_AGAIN = declare(
    ProblemType(
        code="re-authentication-required",
        status=403,
        vi="Cần xác thực lại trước khi mở khẩn cấp.",
        en="Prove who you are again before breaking the glass.",
        next_vi="Nhập mã xác thực một lần, rồi mở trong 5 phút.",
        next_en="Enter a one-time password, then open within 5 minutes.",
    )
)
EMERGENCY_SUSPENDED = declare(
    ProblemType(
        code="emergency-access-suspended",
        status=403,
        vi="Quyền mở khẩn cấp của bạn đang bị tạm dừng.",
        en="Your right to break the glass is suspended.",
        next_vi="Nhờ bác sĩ khác của đơn vị; quản trị và người vận hành có thể khôi phục.",
        next_en="Ask a colleague of the unit; operators can give the right back.",
    )
)
NO_EMERGENCY_ARRIVAL = declare(
    ProblemType(
        code="no-emergency-arrival",
        status=403,
        vi="Chưa có ghi nhận người này đến đơn vị cấp cứu.",
        en="No arrival of this person at the emergency unit is noted.",
        next_vi="Nhờ một tài khoản khác ghi nhận người bệnh đến đơn vị, rồi mở lại.",
        next_en="Have another account note the arrival at the unit, then try again.",
    )
)
EMERGENCY_REASON = declare(
    ProblemType(
        code="emergency-reason-invalid",
        status=400,
        vi=f"Lý do hoặc câu xác nhận chưa đúng. Câu phải gõ: {ATTESTATION}",
        en=f"The reason or the typed sentence is not right. The sentence is: {ATTESTATION}",
        next_vi="Viết lý do ít nhất 20 ký tự và gõ đúng câu xác nhận.",
        next_en="Give a reason of at least 20 characters and type the sentence as it stands.",
    )
)
EMERGENCY_RUNNING = declare(
    ProblemType(
        code="emergency-access-running",
        status=409,
        vi="Bạn đang có một lần mở khẩn cấp cho người này.",
        en="You have broken the glass for this person already.",
        next_vi="Dùng lần mở đang có; đồng nghiệp có thể ký để kéo dài.",
        next_en="Use the one that runs; a colleague can co-sign to extend it.",
    )
)
REFUSED_BY_PERSON = declare(
    ProblemType(
        code="emergency-access-refused",
        status=403,
        vi="Người bệnh đã dừng lần mở khẩn cấp của bạn.",
        en="The person has stopped your emergency access.",
        next_vi="Xin người bệnh đồng ý cho xem sổ.",
        next_en="Ask the person for access.",
    )
)
UNKNOWN_EMERGENCY = declare(
    ProblemType(
        code="emergency-access-unknown",
        status=404,
        vi="Không có lần mở khẩn cấp này.",
        en="There is no such emergency access.",
        next_vi="Tải lại danh sách.",
        next_en="Load the list again.",
    )
)
COSIGN_REFUSED = declare(
    ProblemType(
        code="co-sign-refused",
        status=403,
        vi="Bạn không thể ký cùng cho lần mở này.",
        en="You cannot co-sign this one.",
        next_vi="Nhờ một bác sĩ hoặc điều dưỡng khác ký trên phiên đăng nhập của họ.",
        next_en="Have another doctor or nurse co-sign in a session of their own.",
    )
)
NOTHING_TO_COSIGN = declare(
    ProblemType(
        code="nothing-to-co-sign",
        status=409,
        vi="Lần mở này không chờ chữ ký đó.",
        en="This one does not wait for that signature.",
        next_vi="Tải lại danh sách các lần mở đang chờ.",
        next_en="Load the list of what waits again.",
    )
)
REVIEW_REFUSED = declare(
    ProblemType(
        code="review-refused",
        status=403,
        vi="Bạn không thể xem xét lần mở này.",
        en="You cannot review this one.",
        next_vi="Chuyển cho người xem xét ở ngoài đơn vị và không ký cùng.",
        next_en="Leave it to a reviewer outside the unit who did not co-sign.",
    )
)
ALREADY_DISPUTED = declare(
    ProblemType(
        code="emergency-access-disputed",
        status=409,
        vi="Bạn đã khiếu nại lần mở khẩn cấp này.",
        en="You have disputed this emergency access already.",
        next_vi="Chờ kết quả xem xét; bạn sẽ được báo.",
        next_en="Wait for the outcome of the review; you will be told.",
    )
)
