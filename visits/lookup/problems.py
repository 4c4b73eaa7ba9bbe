"""Why a look-up at a desk goes no further."""

from kernel.problems import ProblemType, declare

LOOK_UP_OVER = declare(
    ProblemType(
        code="look-up-over",
        status=404,
        vi="Lượt tra cứu này đã hết hạn hoặc không phải của bạn.",
        en="This look-up has run out, or it is not yours.",
        next_vi="Tra cứu lại bằng số trên thẻ hoặc số điện thoại.",
        next_en="Look the person up again by a number of a card or a phone number.",
    )
)
FACT_INVALID = declare(
    ProblemType(
        code="look-up-fact-invalid",
        status=400,
        vi="Cần đúng một thông tin: họ và tên đầy đủ hoặc ngày sinh.",
        en="Exactly one fact is needed: the whole name or the birth date.",
        next_vi="Hỏi người bệnh họ và tên hoặc ngày sinh rồi nhập một trong hai.",
        next_en="Ask the person for the name or the birth date and enter one of them.",
    )
)
FACT_DIFFERS = declare(
    ProblemType(
        code="look-up-fact-differs",
        status=409,
        vi="Thông tin này không khớp với người được tra cứu.",
        en="This fact does not agree with the person who was looked up.",
        next_vi="Xem lại giấy tờ của người bệnh; nếu vẫn không khớp, tiếp đón bằng số trên thẻ và báo cán bộ"
        " quản lý định danh.",
        next_en="Look at the card again; if it still differs, note the arrival by the number on it and"
        " tell a registry officer.",
    )
)
FACT_TRIES_USED = declare(
    ProblemType(
        code="look-up-tries-used",
        status=429,
        vi="Hôm nay đã nhập sai quá số lần cho phép với người này.",
        en="Too many wrong facts were entered for this person today.",
        next_vi="Quét mã trên điện thoại của người bệnh hoặc nhập số định danh cá nhân trên thẻ để tiếp đón.",
        next_en="Scan the code on the person's phone, or enter the number on the card to note the arrival.",
    )
)
NOT_MATCHED_YET = declare(
    ProblemType(
        code="look-up-not-matched",
        status=409,
        vi="Chưa có thêm thông tin nào khớp với người này.",
        en="No further fact has agreed with this person yet.",
        next_vi="Hỏi họ và tên hoặc ngày sinh và nhập; sau đó ghi nhận người bệnh đến từ kết quả đã khớp,"
        " không phải từ kết quả tra cứu.",
        next_en="Ask for the name or the birth date and enter it; then note the arrival from the answer that"
        " matched (its candidate), not from the look-up's.",
    )
)
NO_NUMBER = declare(
    ProblemType(
        code="look-up-no-number",
        status=409,
        vi="Người này chưa có số định danh cá nhân đang dùng trong sổ.",
        en="The book knows no personal number in force of this person.",
        next_vi="Quét mã trên điện thoại của người bệnh hoặc nhập số trên thẻ căn cước.",
        next_en="Scan the code on the person's phone, or enter the number on the identity card.",
    )
)
