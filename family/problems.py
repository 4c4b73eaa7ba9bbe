"""What can be refused between relatives."""

from kernel.problems import ProblemType, declare

NOT_YOUR_BOOK = declare(
    ProblemType(
        code="not-your-book",
        status=403,
        vi="Bạn không được mở sổ của người này.",
        en="You may not open this person's book.",
        next_vi="Chọn lại sổ của chính bạn.",
        next_en="Choose your own book.",
    )
)
NOT_IN_YOUR_CARE = declare(
    ProblemType(
        code="not-in-your-care",
        status=403,
        vi="Liên kết gia đình này không cho phép việc đó.",
        en="This family link does not cover that.",
        next_vi="Tuổi của người được chăm sóc hoặc phạm vi ủy quyền quyết định việc bạn được làm.",
        next_en="The age of the person or the scope of the proxy decides what you may do.",
    )
)
PROXY_CODE_REFUSED = declare(
    ProblemType(
        code="proxy-code-refused",
        status=403,
        vi="Mã mời không dùng được.",
        en="This invitation cannot be used.",
        next_vi="Mã dùng một lần, sống 24 giờ, mã lập tại quầy 7 ngày; xin người mời hoặc quầy mã mới.",
        next_en="A code works once, for 24 hours, a desk's for 7 days; ask whoever invited, or the desk.",
    )
)
PROXIES_TOO_MANY = declare(
    ProblemType(
        code="proxies-too-many",
        status=409,
        vi="Đã có đủ 8 người được ủy quyền.",
        en="There are 8 proxies already.",
        next_vi="Kết thúc một ủy quyền trước khi thêm người khác.",
        next_en="End one of them before another can be added.",
    )
)
PROXY_INVALID = declare(
    ProblemType(
        code="proxy-invalid",
        status=400,
        vi="Lời mời ủy quyền không hợp lệ.",
        en="This is not a valid invitation.",
        next_vi="Chọn ít nhất một phạm vi và ngày kết thúc trong vòng 12 tháng.",
        next_en="Choose at least one scope and an end within 12 months.",
    )
)
ADULTS_ONLY = declare(
    ProblemType(
        code="adults-only",
        status=403,
        vi="Việc này dành cho người đủ 18 tuổi.",
        en="This is for people of 18 and over.",
        next_vi="Người dưới 18 tuổi có người giám hộ; hãy đến cơ sở y tế cùng người giám hộ.",
        next_en="People under 18 have guardians; come to a facility together.",
    )
)
UNKNOWN_LINK = declare(
    ProblemType(
        code="family-link-unknown",
        status=404,
        vi="Không có liên kết này.",
        en="There is no such link.",
        next_vi="Mở lại danh sách gia đình.",
        next_en="Open the list of the family again.",
    )
)
GUARDIAN_NEEDED = declare(
    ProblemType(
        code="guardian-needed",
        status=403,
        vi="Người dưới 15 tuổi cần người giám hộ trả lời thay.",
        en="For somebody under 15 a guardian answers.",
        next_vi="Nhờ người giám hộ mở yêu cầu này.",
        next_en="Ask a guardian to open this request.",
    )
)
GUARDIANSHIP_REFUSED = declare(
    ProblemType(
        code="guardianship-refused",
        status=403,
        vi="Không ghi nhận được quan hệ giám hộ này.",
        en="This guardianship cannot be recorded.",
        next_vi="Cả hai người phải được tiếp đón hôm nay, giấy tờ được xem, trẻ dưới 18 tuổi.",
        next_en="Both must have arrived today with papers that were seen, and the child be under 18.",
    )
)
PROXY_DESK_REFUSED = declare(
    ProblemType(
        code="proxy-desk-refused",
        status=403,
        vi="Quầy không lập hoặc chấm dứt được ủy quyền này.",
        en="The desk can neither make nor end this proxy.",
        next_vi="Ghi nhận tiếp đón người ủy quyền hôm nay trước; để lập, họ đủ 18 tuổi, chưa có thiết bị.",
        next_en="Record today's arrival first; to make one, they are of age and without a device.",
    )
)
INVITATIONS_TOO_MANY = declare(
    ProblemType(
        code="invitations-too-many",
        status=409,
        vi="Đang có 3 lời mời chưa dùng.",
        en="There are 3 invitations that nobody has used yet.",
        next_vi="Thu hồi một lời mời trước khi tạo lời mời mới.",
        next_en="Take one of them back before you make another.",
    )
)
LINK_DISPUTED = declare(
    ProblemType(
        code="family-link-disputed",
        status=409,
        vi="Liên kết này đang bị phản đối.",
        en="This link is disputed.",
        next_vi="Chờ rút lại phản đối hoặc kết thúc liên kết.",
        next_en="Wait until the dispute is taken back, or end the link.",
    )
)
