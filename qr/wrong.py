"""What was scanned in place of a check-in code, by name: what it is, and what to do with it.

For whoever stands at a desk or holds a phone before one: "unreadable" sends them to scan again what was read
perfectly. Nothing here looks at a signature; who holds something else learns what they hold.
"""

from typing import Final, TypeVar

from kernel.problems import ProblemType, Refused, declare
from qr.problems import (
    CARD_DATE,
    CARD_INCOMPLETE,
    CARD_NUMBER,
    QR_KIND,
    QR_UNREADABLE,
    SCAN_UNKNOWN,
    SCANNER_KEYBOARD,
)
from qr.scanned import read_scanned
from qr.tokens import Kind

T = TypeVar("T")

_PHONE_VI: Final = "Trên điện thoại: quét mã trên màn hình hoặc áp phích của quầy."
_PHONE_EN: Final = "On the phone: scan the code of the counter's screen or poster."
_DESK_VI: Final = "Ở quầy: quét mã định danh trên điện thoại của người bệnh, hoặc nhập số giấy tờ."
_DESK_EN: Final = "At the desk: scan the identification code on the person's phone, or type a number."


def _is(code: str, vi: str, en: str, next_vi: str, next_en: str) -> ProblemType:
    return declare(ProblemType(code=code, status=400, vi=vi, en=en, next_vi=next_vi, next_en=next_en))


IS_CARD = _is(
    "scan-is-card",
    "Đây là thẻ căn cước, thẻ BHYT hoặc số của thẻ, không phải mã của ứng dụng.",
    "This is an identity card, an insurance card or its number, and no code of the app.",
    f"Ở quầy: nhập số trên thẻ để ghi người đến. {_PHONE_VI}",
    f"At the desk: type the card's number as an arrival. {_PHONE_EN}",
)
IS_COUNTER = _is(
    "scan-is-counter",
    "Đây là mã của quầy, dành cho điện thoại của người bệnh.",
    "This is the code of a counter, for the phone of whoever comes.",
    f"Người bệnh quét mã này bằng ứng dụng. {_DESK_VI}",
    f"The person scans it with the app. {_DESK_EN}",
)
IS_PERSON = _is(
    "scan-is-person",
    "Đây là mã định danh trên điện thoại của một người.",
    "This is the identification code on somebody's phone.",
    f"Đưa mã này cho quầy hoặc ki-ốt quét. {_PHONE_VI}",
    f"Show it to a desk or a kiosk. {_PHONE_EN}",
)
IS_TICKET = _is(
    "scan-is-ticket",
    "Đây là mã của một số thứ tự đã lấy.",
    "This is the code of a number in the line.",
    f"Số thứ tự được đọc ở mục đọc số của quầy. {_DESK_VI} {_PHONE_VI}",
    f"Numbers are read where the counter reads numbers. {_DESK_EN} {_PHONE_EN}",
)
IS_PAPER = _is(
    "scan-is-paper",
    "Đây là mã của một giấy in từ Sổ sức khỏe, như phiếu chuyển cơ sở hoặc phiếu hẹn khám lại.",
    "This is the code of a paper of the health book, such as a referral or a revisit letter.",
    f"Giấy được đọc ở mục đọc giấy. {_DESK_VI} {_PHONE_VI}",
    f"Papers are read where the desk reads letters. {_DESK_EN} {_PHONE_EN}",
)
IS_REQUEST = _is(
    "scan-is-request",
    "Đây là mã xin xem sổ của bác sĩ.",
    "This is a doctor's request for access to a book.",
    f"Người bệnh quét mã này ở mục trả lời yêu cầu xem sổ. {_DESK_VI} {_PHONE_VI}",
    f"The person scans it where requests are answered. {_DESK_EN} {_PHONE_EN}",
)
IS_PRESCRIPTION = _is(
    "scan-is-prescription",
    "Đây là mã đơn thuốc.",
    "This is the code of a prescription.",
    f"Đơn thuốc được đọc ở quầy thuốc. {_DESK_VI} {_PHONE_VI}",
    f"Prescriptions are read where medicines are handed out. {_DESK_EN} {_PHONE_EN}",
)
IS_OTHER = _is(
    "scan-not-ours",
    "Đã đọc được, nhưng đây không phải mã của Sổ sức khỏe.",
    "It was read, and is no code of the health book.",
    f"{_DESK_VI} {_PHONE_VI}",
    f"{_DESK_EN} {_PHONE_EN}",
)

_KINDS: Final[dict[Kind, ProblemType]] = {
    "citizen": IS_PERSON,
    "counter": IS_COUNTER,
    "poster": IS_COUNTER,
    "doctor-request": IS_REQUEST,
    "ticket": IS_TICKET,
    "letter": IS_PAPER,
    "paper": IS_PAPER,
}
_UNREAD: Final = {
    CARD_DATE: IS_CARD,
    CARD_INCOMPLETE: IS_CARD,
    CARD_NUMBER: IS_CARD,
    QR_KIND: IS_OTHER,
    SCAN_UNKNOWN: IS_OTHER,
    SCANNER_KEYBOARD: SCANNER_KEYBOARD,
}

# What `named` can say beside the problems of a code.
WRONG_SCANS = (*dict.fromkeys(_KINDS.values()), IS_CARD, IS_OTHER, IS_PRESCRIPTION, SCANNER_KEYBOARD)


def named(done: T | Refused, text: str) -> T | Refused:
    """`done`; a refusal of the scanned text as unreadable or of another kind says what the text is."""
    if not isinstance(done, Refused) or done.problem not in (QR_KIND, QR_UNREADABLE):
        return done
    scanned = read_scanned(text)
    problem = _UNREAD.get(scanned.refused.problem) if scanned.refused else None
    if scanned.what == "code" and scanned.kind:
        problem = _KINDS[scanned.kind]
    elif scanned.what == "erx":
        problem = IS_PRESCRIPTION
    elif scanned.card:
        problem = IS_CARD
    return Refused(problem=problem, where=done.where) if problem else done
