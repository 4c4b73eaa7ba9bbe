"""The texts that leave by SMS: one segment, without tone marks, at most 160 characters."""

import unicodedata
from typing import Final

from notifications.models import (
    SmsContact,
    SmsDeath,
    SmsEmergency,
    SmsPhoneChanged,
    SmsSecurity,
    SmsSignIn,
    SmsUrgent,
    TypedSms,
)

SEGMENT_MAX = 160
FACILITY_MAX = 20
# The ministry's number, until an installation sets its own (HOTLINE).
HOTLINE = "1900 9095"
_FOR: Final = {
    "sign-in": "",
    "sign-up": " de lap tai khoan moi",
    "enrolment": " de gan so nay vao mot so suc khoe dang co",
    "phone-change": " de doi so dien thoai",
}
# Texts that say nothing of anybody: the same for every phone.
_CONSTANT: Final[dict[type[SmsDeath | SmsSecurity | SmsUrgent | SmsPhoneChanged], str]] = {
    SmsDeath: "SSK: co noi bao tu gan voi so suc khoe cua ban. Neu nham, mo ung dung bao lai, "
    "hoac goi {hotline}. So van dung duoc.",
    SmsSecurity: "SSK: co thong bao ve an toan tai khoan chua duoc xem. Mo ung dung So suc khoe de xem. "
    "Khong phai ban? Goi {hotline}",
    SmsPhoneChanged: "SSK: mot tai khoan So suc khoe vua doi so dien thoai nhan ma. Khong phai ban? "
    "Mo ung dung xem ngay, hoac goi {hotline}.",
    SmsUrgent: "SSK: co thong bao quan trong chua duoc xem. Mo ung dung So suc khoe de xem, "
    "hoac goi {hotline}.",
}


def sms_text(sms: TypedSms, hotline: str) -> str:
    """The text as sent. A sign-in text says that nobody may hear it, a consent text names who would
    read what and where (security.md S2, consent.md 3.1). The doctor's name is cut to fit. hotline: the
    number to call, of which the digits are written."""
    hotline = hotline.replace(" ", "")
    if isinstance(sms, SmsSignIn):
        return (
            f"DANG NHAP. KHONG DOC CHO AI, KE CA BAC SI. Ma {plain(sms.code)}{_FOR[sms.purpose]}, "
            "dung trong 5 phut. "
            f"Khong phai ban? Goi {hotline}"
        )
    if isinstance(sms, SmsDeath | SmsSecurity | SmsUrgent | SmsPhoneChanged):
        return _CONSTANT[type(sms)].format(hotline=hotline)
    if isinstance(sms, SmsContact):
        return (
            f"SSK: co nguoi muon ban la lien he khi khan cap. Ma {plain(sms.code)}: nhap o trang lien he "
            f"cua So suc khoe de xem ai, nhan hay tu choi. Hoi {hotline}"
        )
    if isinstance(sms, SmsEmergency):
        return _emergency_text(sms, hotline)
    place = plain(sms.facility_short)[:FACILITY_MAX].strip()

    def text(who: str) -> str:
        return (
            f"SSK: {plain(sms.code)} de {who}, {place} xem {plain(sms.scope)}, {sms.hours}h. "
            f"CHI doc khi ban dang o {place}. Khong phai ban? Goi {hotline}"
        )

    room = max(0, SEGMENT_MAX - len(text("")))
    return text(plain(sms.practitioner)[:room].strip())[:SEGMENT_MAX]


def _emergency_text(sms: SmsEmergency, hotline: str) -> str:
    """Whose contact is asked to call where; the person's name is cut to fit."""

    def text(who: str) -> str:
        return (
            f"SSK: {who} ghi ban la nguoi lien he khi can. Hay lien lac voi {plain(sms.place)[:40].strip()}. "
            f"Hoi {hotline}"
        )

    room = max(0, SEGMENT_MAX - len(text("")))
    return text(plain(sms.person)[:room].strip())[:SEGMENT_MAX]


def plain(text: str) -> str:
    """Printable ASCII: 'Bệnh viện Đống Đa' → 'Benh vien Dong Da'."""
    spread = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in spread if " " <= c <= "~")
