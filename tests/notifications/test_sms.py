"""Both SMS texts: one segment of plain letters, saying exactly what consent.md and S2 ask."""

from hypothesis import given
from hypothesis import strategies as st

from notifications.models import SmsCode, SmsDeath, SmsSecurity, SmsSignIn, SmsUrgent
from notifications.sms import HOTLINE, SEGMENT_MAX, sms_text


def test_the_consent_text_is_the_one_of_the_design() -> None:
    sms = SmsCode(
        code="482913", practitioner="BS Nguyễn A", facility_short="BV X", scope="tóm tắt 12 tháng", hours=24
    )
    assert sms_text(sms, HOTLINE) == (
        "SSK: 482913 de BS Nguyen A, BV X xem tom tat 12 thang, 24h. "
        "CHI doc khi ban dang o BV X. Khong phai ban? Goi 19009095"
    )


def test_s2_the_sign_in_text_begins_with_its_warning() -> None:
    text = sms_text(SmsSignIn(code="QXWRTB"), HOTLINE)
    assert text.startswith("DANG NHAP. KHONG DOC CHO AI, KE CA BAC SI")
    assert "QXWRTB" in text


def test_the_number_to_call_is_the_one_of_the_installation() -> None:
    assert sms_text(SmsSignIn(code="QXWRTB"), "028 1022").endswith("Goi 0281022")


def test_the_texts_of_what_was_not_seen_are_constants_of_one_segment() -> None:
    for sms in (SmsDeath(), SmsSecurity(), SmsUrgent()):
        text = sms_text(sms, "1900 9095 12345")
        assert len(text) <= SEGMENT_MAX
        assert text.isascii()
        assert "1900909512345" in text
        assert "{" not in text


def test_a_long_name_is_cut_and_the_warning_stays() -> None:
    sms = SmsCode(
        code="482913",
        practitioner="BS Công Tằng Tôn Nữ Thị Hoàng Oanh Phương Thảo",
        facility_short="Bệnh viện Đa khoa khu vực Thủ Đức",
        scope="tom tat 12 thang",
        hours=24,
    )
    text = sms_text(sms, HOTLINE)
    assert len(text) <= SEGMENT_MAX
    assert text.endswith("Goi 19009095")
    assert "BS Cong Tang" in text


@given(st.text(max_size=80), st.text(max_size=80), st.integers(1, 24))
def test_any_name_makes_one_segment_of_ascii(practitioner: str, facility: str, hours: int) -> None:
    text = sms_text(
        SmsCode(
            code="482913", practitioner=practitioner, facility_short=facility, scope="tom tat", hours=hours
        ),
        HOTLINE,
    )
    assert len(text) <= SEGMENT_MAX
    assert text.isascii()
    assert text.isprintable()
    assert "482913" in text
