"""What an enrolment can be refused for."""

from kernel.problems import ProblemType, declare

PROGRAMME_INVALID = declare(
    ProblemType(
        code="programme-invalid",
        status=422,
        vi="Một số ô của phiếu theo dõi chưa đúng.",
        en="Some fields of the enrolment or visit are wrong.",
        next_vi="Sửa các ô được nêu trong errors rồi gửi lại.",
        next_en="Correct the fields named in errors and send it again.",
    )
)
PROGRAMME_WITHHELD = declare(
    ProblemType(
        code="programme-withheld",
        status=422,
        vi="Phiếu có nội dung không được đưa vào sổ sức khỏe điện tử.",
        en="The form holds content that is not taken into the electronic health book.",
        next_vi="Bỏ nội dung về HIV/AIDS, nghiện chất hoặc mại dâm rồi gửi lại.",
        next_en="Remove content about HIV/AIDS, addiction or prostitution and send it again.",
    )
)
ENROLMENT_NOT_FOUND = declare(
    ProblemType(
        code="enrolment-not-found",
        status=404,
        vi="Cơ sở của bạn không có hồ sơ theo dõi này.",
        en="Your facility has no such enrolment.",
        next_vi="Kiểm tra lại mã hồ sơ.",
        next_en="Check the enrolment id.",
    )
)
ENROLMENT_EXISTS = declare(
    ProblemType(
        code="enrolment-exists",
        status=409,
        vi="Số sổ này đã có trong chương trình tại cơ sở của bạn.",
        en="Your facility has this register number in the programme already.",
        next_vi="Mở hồ sơ đang có để ghi tiếp, hoặc dùng số khác.",
        next_en="Open the enrolment that stands, or use another number.",
    )
)
ENROLMENT_ENDED = declare(
    ProblemType(
        code="enrolment-ended",
        status=409,
        vi="Đợt theo dõi này đã kết thúc hoặc đã rút lại.",
        en="This enrolment has ended or was withdrawn.",
        next_vi="Lập hồ sơ theo dõi mới nếu người đó được theo dõi tiếp.",
        next_en="Enrol the person anew if they are followed again.",
    )
)
VISIT_NOT_FOUND = declare(
    ProblemType(
        code="visit-not-found",
        status=404,
        vi="Hồ sơ theo dõi không có lần khám này.",
        en="The enrolment has no such visit.",
        next_vi="Kiểm tra lại mã lần khám.",
        next_en="Check the visit id.",
    )
)
