"""What closed words of the contract mean to the staff, in Vietnamese and in English."""

from typing import Final

Words = tuple[str, str]

ROLES: Final[dict[str, Words]] = {
    "doctor": ("Bác sĩ", "Doctor"),
    "pharmacist": ("Dược sĩ", "Pharmacist"),
    "vaccinator": ("Nhân viên tiêm chủng", "Vaccinator"),
    "nurse": ("Điều dưỡng", "Nurse"),
    "clerk": ("Nhân viên tiếp đón", "Receptionist"),
    "facility-admin": ("Quản trị cơ sở", "Facility administrator"),
    "registry-officer": ("Cán bộ đối chiếu hồ sơ", "Registry officer"),
    "privacy-officer": ("Cán bộ bảo vệ dữ liệu", "Privacy officer"),
    "department-analyst": ("Chuyên viên sở y tế", "Analyst of the health department"),
    "hotline-agent": ("Nhân viên tổng đài", "Hotline agent"),
}
# What was done a moment ago, as the next page says it.
DONE: Final[dict[str, Words]] = {
    "counter-opened": ("Đã mở quầy.", "The counter is open."),
    "counter-closed": (
        "Đã đóng quầy. Mã và áp phích của quầy không còn dùng được.",
        "The counter is closed. Its codes and posters open nothing now.",
    ),
    "called": ("Đã gọi số tiếp theo.", "The next number was called."),
    "nobody-waits": ("Không còn ai chờ ở quầy này.", "Nobody waits at this counter."),
    "case-acknowledged": (
        "Đã báo cho người bệnh là cơ sở đã nhận.",
        "The person was told that you received it.",
    ),
    "case-replied": ("Đã gửi lời nhắn cho người bệnh.", "Your message was sent to the person."),
    "case-resolved": (
        "Đã ghi là đã sửa và báo cho người bệnh.",
        "It is marked as corrected, and the person was told.",
    ),
    "case-refused": (
        "Đã từ chối và báo lý do cho người bệnh.",
        "It was refused, and the person was told why.",
    ),
    "attended": ("Đã ghi: người bệnh đã đến.", "Noted: the person came."),
    "absent": ("Đã ghi: người bệnh không đến.", "Noted: the person did not come."),
    "called-off": (
        "Đã hủy lịch hẹn và báo cho người bệnh.",
        "The appointment was called off, and the person was told.",
    ),
    "schedule-made": (
        "Đã lập lịch khám. Hãy thêm giờ khám để người bệnh đặt được.",
        "The schedule is made. Add times, so that people can book.",
    ),
    "slots-added": ("Đã thêm giờ khám.", "The times were added."),
    "slot-resized": ("Đã đổi số chỗ.", "The places were changed."),
    "slot-closed": (
        "Đã ngừng giờ khám này và báo cho người đã đặt.",
        "That time was called off, and who had booked was told.",
    ),
    "schedule-closed": (
        "Đã kết thúc lịch khám và báo cho người đã đặt.",
        "The schedule was ended, and who had booked was told.",
    ),
    "department-opened": ("Đã thêm khoa.", "The department was added."),
    "department-changed": ("Đã lưu thông tin khoa.", "The department was changed."),
    "department-closed": ("Đã đóng khoa.", "The department was closed."),
    "system-ended": (
        "Đã ngừng phần mềm. Khóa của phần mềm này không còn dùng được.",
        "It was turned off. Its secret opens nothing now.",
    ),
    "system-proposed": (
        "Đã gửi đề nghị. Một tài khoản quản trị khác xác nhận ở mục Nhân viên và nhận khóa.",
        "Proposed. Another administrator confirms it under Staff and gets the secret.",
    ),
    "dose-confirmed": ("Đã xác nhận mũi tiêm.", "The dose was confirmed."),
    "kiosk-ended": ("Đã ngừng ki-ốt.", "The kiosk was ended."),
    "role-proposed": (
        "Đã gửi đề nghị. Một tài khoản quản trị khác cần xác nhận trong ba ngày.",
        "Proposed. Another administrator's account confirms it within three days.",
    ),
    "change-confirmed": ("Đã xác nhận. Thay đổi có hiệu lực ngay.", "Confirmed. It is in force now."),
    "unit-resolved": ("Đã ghi quyết định.", "Your decision was noted."),
    "unit-proposed": (
        "Đã ghi đề nghị. Một cán bộ của cơ sở khác cần đồng ý.",
        "Noted. An officer of another facility has to agree.",
    ),
    "unit-returned": ("Đã trả về cơ sở gửi.", "It was returned to its sender."),
}
CASE_KINDS: Final[dict[str, Words]] = {
    "correction": ("Báo sai trong hồ sơ", "Something in the record is wrong"),
    "not-mine": ("Lần khám không phải của tôi", "A visit that is not mine"),
    "missing-visit": ("Thiếu một lần khám", "A visit is missing"),
}
CASE_STATES: Final[dict[str, Words]] = {
    "open": ("Mới gửi", "New"),
    "acknowledged": ("Cơ sở đã nhận", "Received"),
    "refused": ("Cơ sở từ chối", "Refused"),
    "corrected": ("Đã sửa", "Corrected"),
    "detached": ("Đã gỡ khỏi sổ", "Taken out of the book"),
    "restored": ("Đã khôi phục", "Restored"),
    "arrived": ("Dữ liệu đã đến", "The data came"),
    "withdrawn": ("Người bệnh đã rút", "Withdrawn by the person"),
    "accepted": ("Người bệnh đã chấp nhận", "Accepted by the person"),
}
CASE_ACTS: Final[dict[str, Words]] = {
    "open": ("Gửi đề nghị", "Opened"),
    "acknowledge": ("Cơ sở nhận", "Received by the facility"),
    "reply": ("Lời nhắn", "Message"),
    "refuse": ("Từ chối", "Refused"),
    "resolve": ("Đã sửa", "Resolved"),
    "supersede": ("Có bản mới", "A newer version came"),
    "arrive": ("Dữ liệu đã đến", "The data came"),
    "resend": ("Nhắc gửi lại", "Asked to send again"),
    "withdraw": ("Rút đề nghị", "Withdrawn"),
    "accept": ("Chấp nhận", "Accepted"),
    "reopen": ("Mở lại", "Opened again"),
}
SIDES: Final[dict[str, Words]] = {
    "person": ("Người bệnh", "The person"),
    "facility": ("Cơ sở", "The facility"),
    "service": ("Hệ thống", "The service"),
}
BOOKING_STATES: Final[dict[str, Words]] = {
    "held": ("Đang giữ chỗ", "Held"),
    "waiting": ("Trong danh sách chờ", "Waiting list"),
    "booked": ("Đã đặt", "Booked"),
    "attended": ("Đã đến", "Came"),
    "absent": ("Không đến", "Did not come"),
    "cancelled": ("Người bệnh hủy", "Cancelled by the person"),
    "called-off": ("Cơ sở hủy", "Called off"),
    "lapsed": ("Hết hạn giữ chỗ", "Lapsed"),
}
RETURN_CODES: Final[dict[str, Words]] = {
    "number-wrong": ("Số giấy tờ sai", "The number is wrong"),
    "name-wrong": ("Họ tên sai", "The name is wrong"),
    "birth-date-wrong": ("Ngày sinh sai", "The birth date is wrong"),
    "sex-wrong": ("Giới tính sai", "The sex is wrong"),
    "mother-wrong": ("Thông tin mẹ sai", "The mother's data are wrong"),
    "not-a-patient": ("Không phải người bệnh", "Not a patient"),
    "send-again": ("Cần gửi lại", "To be sent again"),
}
SEXES: Final[dict[str, Words]] = {
    "male": ("Nam", "Male"),
    "female": ("Nữ", "Female"),
    "other": ("Khác", "Other"),
    "unknown": ("Không rõ", "Unknown"),
}
NUMBER_KINDS: Final[dict[str, Words]] = {
    "national-id": ("Số định danh cá nhân", "Personal number"),
    "insurance-card": ("Thẻ bảo hiểm y tế", "Insurance card"),
    "insurance-number": ("Mã số bảo hiểm", "Insurance number"),
    "old-id": ("Chứng minh nhân dân cũ", "Old identity card"),
    "passport": ("Hộ chiếu", "Passport"),
    "phone": ("Số điện thoại", "Phone"),
}
PURPOSES: Final[dict[str, Words]] = {
    "check-in": ("Tiếp đón", "Reception"),
    "booking": ("Đặt lịch", "Booking"),
    "coverage": ("Kiểm tra bảo hiểm", "Insurance"),
    "results": ("Trả kết quả", "Results"),
    "referral": ("Chuyển cơ sở", "Referral"),
}
CHANGE_KINDS: Final[dict[str, Words]] = {
    "practitioner-role": ("Giao vai trò", "Give a role"),
    "practitioner-role-end": ("Thôi vai trò", "End a role"),
    "practitioner-role-unit": ("Đổi khoa làm việc", "Change of department"),
    "facility-unit": ("Mở đơn vị cấp cứu", "Open an emergency unit"),
    "facility-unit-end": ("Đóng đơn vị cấp cứu", "Close an emergency unit"),
    "facility-client": ("Thêm phần mềm của cơ sở", "Add a system"),
    "facility-client-secret": ("Khóa mới cho phần mềm", "Another secret for a system"),
}
# What an administrator may give at the own facility; the others are given by operators.
GIVEN_ROLES: Final = ("doctor", "nurse", "pharmacist", "vaccinator", "clerk", "facility-admin")
WAITS_FOR: Final[dict[str, Words]] = {
    "identity-conflict": ("Số này có người khác dùng", "The number belongs to other data"),
    "no-identifier": ("Không có số giấy tờ", "There is no number"),
    "unknown-person": ("Chưa biết là ai", "Nobody is known by it"),
    "birth-date": ("Ngày sinh không khớp", "The birth dates differ"),
}
VERDICTS: Final[dict[str, Words]] = {
    "tell-staff": ("Có điều cần biết", "Something to know"),
    "ask-first": ("Hỏi trước khi tiêm", "Ask before the vaccine"),
}
SCREENING_ANSWERS: Final[dict[str, Words]] = {
    "yes": ("Có", "Yes"),
    "no": ("Không", "No"),
    "unknown": ("Không rõ", "Not known"),
}
# By which way the data of a visit came.
CHANNELS: Final[dict[str, Words]] = {
    "api": ("Phần mềm của cơ sở tự gửi", "Sent by your own software"),
    "file": ("Gửi bằng tệp", "Sent as a file"),
    "form": ("Nhập tay", "Typed in"),
    "operator": ("Đơn vị vận hành nhập giúp", "Entered for you"),
}
# How a look-up ended that found nobody.
LOOK_UP_ENDS: Final[dict[str, Words]] = {
    "bad-form": ("Số viết sai", "The number was not written right"),
    "unknown": ("Không ai có số đó", "Nobody has the number"),
    "too-many": ("Quá nhiều người có số đó", "Too many people have it"),
}
