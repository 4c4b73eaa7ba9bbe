"""What can be refused at the doors."""

from kernel.problems import ProblemType, declare

SIGN_IN_REFUSED = declare(
    ProblemType(
        code="sign-in-refused",
        status=401,
        vi="Thông tin đăng nhập không đúng.",
        en="The sign-in details are not right.",
        next_vi="Kiểm tra lại mã, mã PIN hoặc mật khẩu rồi thử lại.",
        next_en="Check the code, the PIN or the password and try again.",
        retryable=True,
    )
)
CHALLENGE_DEAD = declare(
    ProblemType(
        code="sign-in-code-dead",
        status=401,
        vi="Mã này không còn dùng được.",
        en="This code can no longer be used.",
        next_vi="Bắt đầu đăng nhập lại để nhận mã mới.",
        next_en="Start the sign-in again to get a new code.",
    )
)
TOO_MANY = declare(
    ProblemType(
        code="too-many",
        status=429,
        vi="Bạn đã thử quá nhiều lần.",
        en="Too many tries.",
        next_vi="Chờ hết thời gian được nêu rồi thử lại.",
        next_en="Wait as long as stated, then try again.",
        retryable=True,
    )
)
TRY_LATER = declare(
    ProblemType(
        code="sign-in-busy",
        status=503,
        vi="Hệ thống đang bận xử lý đăng nhập.",
        en="Too many people are signing in right now.",
        next_vi="Thử lại sau vài giây.",
        next_en="Try again in a few seconds.",
        retryable=True,
    )
)
SESSION_ENDED = declare(
    ProblemType(
        code="session-ended",
        status=401,
        vi="Phiên đăng nhập đã kết thúc.",
        en="The session has ended.",
        next_vi="Đăng nhập lại.",
        next_en="Sign in again.",
    )
)
CLOCK_OFF = declare(
    ProblemType(
        code="device-clock-off",
        status=401,
        vi="Đồng hồ của điện thoại lệch quá 5 phút.",
        en="The clock of the phone is off by more than 5 minutes.",
        next_vi="Bật giờ tự động trên điện thoại rồi thử lại.",
        next_en="Turn on automatic time on the phone, then try again.",
        retryable=True,
    )
)
STEP_UP_REFUSED = declare(
    ProblemType(
        code="step-up-refused",
        status=401,
        vi="Xác nhận bằng thiết bị không hợp lệ.",
        en="The confirmation by the device is not valid.",
        next_vi="Mở khóa điện thoại và xác nhận lại.",
        next_en="Unlock the phone and confirm again.",
        retryable=True,
    )
)
DEVICE_KEY_REFUSED = declare(
    ProblemType(
        code="device-key-refused",
        status=400,
        vi="Khóa của thiết bị không hợp lệ.",
        en="The keys of the device are not valid.",
        next_vi="Cập nhật ứng dụng rồi thử lại.",
        next_en="Update the app and try again.",
    )
)
TOO_MANY_DEVICES = declare(
    ProblemType(
        code="too-many-devices",
        status=409,
        vi="Bạn đã có 5 thiết bị.",
        en="You already have 5 devices.",
        next_vi="Gỡ một thiết bị cũ rồi thử lại; nếu đã mất hết, đến cơ sở y tế để kích hoạt lại.",
        next_en="Remove an old device and try again; with none left, be activated again at a facility.",
    )
)
DEVICE_ON_PROBATION = declare(
    ProblemType(
        code="device-on-probation",
        status=403,
        vi="Thiết bị mới chưa được làm việc này trong 72 giờ đầu.",
        en="A new device may not do this in its first 72 hours.",
        next_vi="Dùng thiết bị cũ, hoặc chờ hết 72 giờ.",
        next_en="Use an older device, or wait until the 72 hours are over.",
    )
)
ACCOUNT_HELD = declare(
    ProblemType(
        code="account-held",
        status=403,
        vi="Tài khoản đang tạm giữ vì hồ sơ của bạn vừa được gộp hoặc tách với hồ sơ khác.",
        en="The account is held because your person record was just merged or separated.",
        next_vi="Mang giấy tờ đến cơ sở y tế để kích hoạt lại; nếu bạn không biết việc này, hãy báo ngay.",
        next_en="Be activated again at a facility with your papers; if you know of no merge, say so there.",
    )
)
NUMBER_ENDED = declare(
    ProblemType(
        code="number-ended",
        status=409,
        vi="Số này đã được thay hoặc hủy nên không dùng để xác minh được nữa.",
        en="This number was replaced or cancelled and verifies nothing any more.",
        next_vi="Dùng số định danh hiện nay trên giấy tờ mới.",
        next_en="Use the present number of the new card.",
    )
)
PERSON_MERGED = declare(
    ProblemType(
        code="person-merged",
        status=409,
        vi="Hồ sơ của số này đã được gộp vào hồ sơ khác của cùng một người; đã ghi nhận giấy tờ vừa xem.",
        en="The person of this number was merged into another one; that the card was seen is noted.",
        next_vi="Kích hoạt tài khoản bằng số của hồ sơ đang dùng.",
        next_en="Activate the account with the number of the record that is in use.",
    )
)
NO_SUCH_DEVICE = declare(
    ProblemType(
        code="no-such-device",
        status=404,
        vi="Không có thiết bị này.",
        en="There is no such device.",
        next_vi="Tải lại danh sách thiết bị.",
        next_en="Load the list of devices again.",
    )
)
PIN_TOO_EASY = declare(
    ProblemType(
        code="pin-too-easy",
        status=400,
        vi="Mã PIN phải có 6 chữ số và không dễ đoán.",
        en="The PIN needs 6 digits and must not be easy to guess.",
        next_vi="Chọn mã PIN khác.",
        next_en="Choose another PIN.",
    )
)
ACTIVATION_REFUSED = declare(
    ProblemType(
        code="activation-refused",
        status=401,
        vi="Mã kích hoạt không dùng được.",
        en="The activation code cannot be used.",
        next_vi="Hỏi lại quầy đã cấp mã.",
        next_en="Ask the desk that gave you the code.",
    )
)
ACTIVATION_ELSEWHERE = declare(
    ProblemType(
        code="activation-elsewhere",
        status=403,
        vi="Đề nghị kích hoạt này không thuộc cơ sở bạn đang làm việc.",
        en="This activation does not belong to the facility you act for.",
        next_vi="Đăng nhập với vai trò tại cơ sở đã lập đề nghị.",
        next_en="Sign in with the role at the facility that proposed it.",
    )
)
NOT_ARRIVED = declare(
    ProblemType(
        code="no-arrival-today",
        status=403,
        vi="Người này chưa được ghi nhận đến cơ sở hôm nay.",
        en="This person has no arrival here today.",
        next_vi="Ghi nhận người đến trước khi kích hoạt.",
        next_en="Record the arrival before activating.",
    )
)
CARD_NOT_SEEN = declare(
    ProblemType(
        code="card-not-seen",
        status=403,
        vi="Phải xem giấy tờ của người này trước.",
        en="The person's card must be seen first.",
        next_vi="Xem giấy tờ rồi xác nhận.",
        next_en="See the card, then confirm.",
    )
)
SECOND_ACCOUNT_NEEDED = declare(
    ProblemType(
        code="second-account-needed",
        status=403,
        vi="Việc này cần một tài khoản khác xác nhận.",
        en="Another account has to confirm this.",
        next_vi="Nhờ một người có thẩm quyền khác xác nhận.",
        next_en="Ask another entitled person to confirm.",
    )
)
IDENTITY_CONFLICT = declare(
    ProblemType(
        code="identity-conflict",
        status=409,
        vi="Thông tin không khớp với số định danh này.",
        en="The details do not agree with this number.",
        next_vi="Đối chiếu lại giấy tờ, hoặc chuyển cho cán bộ quản lý định danh.",
        next_en="Compare the card again, or send it to the registry officer.",
    )
)
IDENTIFIER_INVALID = declare(
    ProblemType(
        code="identifier-invalid",
        status=400,
        vi="Số không đúng định dạng.",
        en="The number does not have the right form.",
        next_vi="Kiểm tra lại số.",
        next_en="Check the number.",
    )
)
PHONE_INVALID = declare(
    ProblemType(
        code="phone-invalid",
        status=400,
        vi="Số điện thoại không đúng.",
        en="The phone number is not valid.",
        next_vi="Kiểm tra lại số điện thoại.",
        next_en="Check the phone number.",
    )
)
IDENTIFIER_TAKEN = declare(
    ProblemType(
        code="identifier-taken",
        status=409,
        vi="Số này vừa được ghi nhận ở một yêu cầu khác.",
        en="This number was recorded by another request at the same moment.",
        next_vi="Gửi lại yêu cầu.",
        next_en="Send the request again.",
        retryable=True,
    )
)
NOT_IN_REGISTER = declare(
    ProblemType(
        code="not-in-register",
        status=404,
        vi="Không có trong danh mục.",
        en="There is no such entry in the register.",
        next_vi="Kiểm tra lại mã.",
        next_en="Check the code.",
    )
)
REGISTER_ENTRY_EXISTS = declare(
    ProblemType(
        code="register-entry-exists",
        status=409,
        vi="Danh mục đã có mục này.",
        en="The register already holds this entry.",
        next_vi="Dùng mục đã có.",
        next_en="Use the existing entry.",
    )
)
NOT_YOURS_TO_CHANGE = declare(
    ProblemType(
        code="not-yours-to-change",
        status=403,
        vi="Bạn không có quyền thay đổi mục này.",
        en="You may not change this entry.",
        next_vi="Liên hệ cơ quan quản lý danh mục.",
        next_en="Contact the authority that keeps the register.",
    )
)
NOT_EMPTY = declare(
    ProblemType(
        code="database-not-empty",
        status=409,
        vi="Cơ sở dữ liệu đã có tài khoản.",
        en="The database already holds accounts.",
        next_vi="Chỉ khởi tạo trên cơ sở dữ liệu trống.",
        next_en="Bootstrap only an empty database.",
    )
)
TOTP_REFUSED = declare(
    ProblemType(
        code="one-time-password-refused",
        status=403,
        vi="Mã xác thực một lần không đúng hoặc đã dùng.",
        en="The one-time password is wrong or was used before.",
        next_vi="Chờ mã tiếp theo trong ứng dụng xác thực rồi nhập lại.",
        next_en="Wait for the authenticator's next code and type that.",
        retryable=True,
    )
)
UNIT_UNKNOWN = declare(
    ProblemType(
        code="unit-unknown",
        status=404,
        vi="Cơ sở không có đơn vị này.",
        en="The facility has no such unit.",
        next_vi="Tải lại danh sách đơn vị của cơ sở.",
        next_en="Load the facility's list of units again.",
    )
)

LICENCE_NEEDED = declare(
    ProblemType(
        code="licence-needed",
        status=403,
        vi="Vai trò này cần giấy phép hành nghề đang có hiệu lực.",
        en="This role needs a licence that is in force.",
        next_vi="Kiểm tra số giấy phép; người vận hành ghi giấy phép vào sổ đăng ký.",
        next_en="Check the licence number; operators enter licences in the register.",
    )
)

SPECIALTY_UNKNOWN = declare(
    ProblemType(
        code="specialty-unknown",
        status=400,
        vi="Không có chuyên khoa này trong danh mục.",
        en="The list has no such specialty.",
        next_vi="Chọn một mã trong danh mục chuyên khoa.",
        next_en="Choose a code of the list of specialties.",
    )
)

UNITS_FULL = declare(
    ProblemType(
        code="units-full",
        status=409,
        vi="Cơ sở đã có đủ số khoa phòng được mở cùng lúc.",
        en="The facility has as many open departments as it may.",
        next_vi="Đóng khoa phòng không còn hoạt động rồi mở lại.",
        next_en="Close a department that is no longer at work, then try again.",
    )
)

DISCREET_NAME_TELLS = declare(
    ProblemType(
        code="discreet-name-tells",
        status=400,
        vi="Tên kín đáo này nói ra điều cần giữ kín.",
        en="This discreet name says what it is there to keep.",
        next_vi="Đặt tên không nhắc đến bệnh hay chuyên khoa, ví dụ “Phòng khám số 7”.",
        next_en="Choose a name that hints at no illness or specialty, such as 'Room 7'.",
    )
)
FACILITY_CODE_REFUSED = declare(
    ProblemType(
        code="facility-code-refused",
        status=401,
        vi="Mã kích hoạt cơ sở không dùng được: sai, đã dùng hoặc hết hạn.",
        en="The facility's activation code cannot be used: wrong, used or expired.",
        next_vi="Kiểm tra lại từng nhóm ký tự; nếu vẫn không được, xin người vận hành cấp phiếu khác.",
        next_en="Check each group of the slip; if it fails, ask whoever runs the service for another.",
    )
)
