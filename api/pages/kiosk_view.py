"""What a kiosk says to people: plain words for what went wrong, and the place in the line."""

from typing import Any, Final

from msgspec import Struct

from identity.problems import TOO_MANY
from kernel.problems import ProblemType, Refused
from qr.problems import (
    CARD_DATE,
    CARD_INCOMPLETE,
    CARD_NUMBER,
    QR_EXPIRED,
    QR_FORGED,
    QR_KIND,
    QR_UNREADABLE,
    QR_VERSION,
    SCAN_UNKNOWN,
    SCANNER_KEYBOARD,
)
from visits.check_ins.problems import CODE_SPENT
from visits.counters.problems import COUNTER_UNKNOWN
from visits.kiosk.problems import KIOSK_NOT_PLACED

Words = tuple[str, str]


class Told(Struct, frozen=True):
    """What happened, and what to do now; each in Vietnamese and in English."""

    what: Words
    next: Words


EMPTY: Final = Told(
    ("Máy chưa nhận được mã nào", "No code came through"),
    (
        "Đưa mã hoặc thẻ vào máy quét, hay bấm số trên thẻ rồi bấm “Lấy số”.",
        "Hold the code or card to the scanner, or type the number on the card and press “Get a number”.",
    ),
)
EXPIRED: Final = Told(
    ("Mã trên điện thoại đã hết hạn", "The code on your phone has expired"),
    (
        "Mỗi mã chỉ dùng được một phút. Hãy mở mã mới trong ứng dụng rồi đưa lại vào máy.",
        "Each code lasts one minute. Open a new one in the app and show it again.",
    ),
)
OTHER_CODE: Final = Told(
    ("Mã này không dùng để lấy số", "This code gives no number"),
    (
        "Hãy đưa mã định danh trên điện thoại, thẻ căn cước hoặc thẻ bảo hiểm y tế.",
        "Show the identification code on your phone, your identity card or your insurance card.",
    ),
)
UNKNOWN: Final = Told(
    ("Máy không nhận ra thẻ hoặc mã này", "This card or code is not known"),
    (
        "Hãy thử lại với mặt có mã vuông của thẻ căn cước, hoặc bấm số in trên thẻ.",
        "Try the side of your identity card with the square code, or type the number printed on the card.",
    ),
)
UNREADABLE: Final = Told(
    ("Máy chưa đọc được mã", "The code could not be read"),
    (
        "Giữ thẻ hoặc điện thoại thẳng và yên trước máy quét rồi thử lại.",
        "Hold the card or phone straight and still before the scanner, and try again.",
    ),
)
NUMBER_WRONG: Final = Told(
    ("Số trên thẻ chưa đúng", "The number on the card is not right"),
    (
        "Xem lại từng chữ số in trên thẻ rồi bấm lại. Số căn cước có 12 chữ số.",
        "Compare each digit with the card and type it again. An identity number has 12 digits.",
    ),
)
NEW_CODE: Final = Told(
    ("Mã này vừa được dùng ở nơi khác", "This code was just used elsewhere"),
    ("Hãy mở mã mới trong ứng dụng rồi đưa lại vào máy.", "Open a new code in the app and show it again."),
)
CLOSED: Final = Told(
    ("Quầy này đang đóng", "This counter is closed"),
    ("Mời bạn sang quầy khác hoặc hỏi nhân viên.", "Please go to another counter, or ask the staff."),
)
BUSY: Final = Told(
    ("Máy đang có quá nhiều lượt", "Too many people at once"),
    ("Xin chờ một phút rồi thử lại, hoặc đến quầy.", "Wait a minute and try again, or go to the counter."),
)
SCANNER: Final = Told(
    ("Máy quét đang gõ sai chữ", "The scanner types wrong characters"),
    (
        "Xin báo nhân viên. Bạn vẫn có thể bấm số in trên thẻ.",
        "Please tell the staff. You can still type the number printed on the card.",
    ),
)
SAID: Final[dict[ProblemType, Told]] = {
    QR_EXPIRED: EXPIRED,
    QR_KIND: OTHER_CODE,
    QR_FORGED: OTHER_CODE,
    QR_VERSION: OTHER_CODE,
    QR_UNREADABLE: UNREADABLE,
    SCAN_UNKNOWN: UNKNOWN,
    SCANNER_KEYBOARD: SCANNER,
    CARD_INCOMPLETE: UNREADABLE,
    CARD_NUMBER: NUMBER_WRONG,
    CARD_DATE: UNKNOWN,
    CODE_SPENT: NEW_CODE,
    COUNTER_UNKNOWN: CLOSED,
    KIOSK_NOT_PLACED: CLOSED,
    TOO_MANY: BUSY,
}


def told(refused: Refused) -> Told:
    """A refusal in the words of a kiosk; one that is not foreseen keeps its own."""
    problem = refused.problem
    own = Told((problem.vi, problem.en), (problem.next_vi, problem.next_en))
    return SAID.get(problem, own)


def ahead_of(line: dict[str, Any], number: int) -> int:
    """How many wait before a number, of the first page of the line."""
    listed: list[int] = [one["number"] for one in line["items"]]
    if listed and line["next"] and number > listed[-1]:
        # Further back than a page: everybody but the number itself stands before it, or a few less.
        return int(line["waiting"]) - 1
    return sum(1 for one in listed if one < number)
