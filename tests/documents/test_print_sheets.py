"""Posters and slips: the code on the page is read back, nothing falls off it, and no text is markup (S35)."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from documents.posters import Poster, Step, poster
from documents.slips import PER_PAGE, SLIPS_MAX, Slip, SlipSheet, slips
from qr.draw import svg
from qr.screens import poster_svg
from tests.support.exports import pdf_pages
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.rendering import codes_of, letters_outside

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
MILLIMETRE = 72 / 25.4
TEXT = "SSK1:" + "ABCDEF" * 41


def on_the_wall(facility: str = "Bệnh viện A", counter: str = "Quầy 1", words: str = "Quét mã") -> Poster:
    step = Step(vi=words, en=words)
    return Poster(
        title=Step(vi="Lấy số thứ tự", en="Take a number"),
        facility=facility,
        counter=counter,
        code="A12",
        code_svg=poster_svg(TEXT),
        steps=[step] * 3,
        notes=[step] * 2,
        printed="In ngày 21/11/2026",
    )


def sheet(count: int, name: str = "Trạm Y tế xã Ví Dụ", with_code: bool = True) -> SlipSheet:
    return SlipSheet(
        title="Kích hoạt cơ sở",
        steps=["Mở trang quản trị", "Nhập mã", "Đặt mật khẩu"],
        warning="Mã dùng một lần.",
        printed="In ngày 21/11/2026",
        slips=[one_slip(number, name, with_code) for number in range(count)],
    )


def one_slip(number: int, name: str, with_code: bool) -> Slip:
    code = f"ABCDEFGHJKMNPQRSTVWXYZ{number:04}"
    return Slip(
        name=f"{name} {number}",
        details=[("Mã cơ sở", "01028"), ("Hết hạn", "28/11/2026")],
        code=code,
        code_svg=svg(code) if with_code else "",
    )


def test_a_posters_code_is_read_back_from_the_page() -> None:
    made = poster(on_the_wall(), AT)
    assert codes_of(made) == [TEXT]
    (page,) = pdf_pages(made)
    assert all(words in page for words in ("Bệnh viện A", "Quầy 1", "A12", "Lấy số thứ tự", "Take a number"))


def test_a_poster_of_the_longest_words_is_one_page_and_its_code_is_still_read() -> None:
    long = on_the_wall(
        "Bệnh viện Đa khoa " * 7, "Quầy tiếp đón bảo hiểm " * 4, "Mở ứng dụng, quét mã này " * 8
    )
    made = poster(long, AT)
    assert len(pdf_pages(made)) == 1
    assert codes_of(made) == [TEXT]


@pytest.mark.parametrize("count", [0, 1, PER_PAGE, PER_PAGE + 1, 3 * PER_PAGE])
def test_every_slip_is_on_a_page_and_whole(count: int) -> None:
    pages = pdf_pages(slips(sheet(count), AT))
    assert len(pages) == max(1, -(-count // PER_PAGE))
    text = "\n".join(pages)
    for number in range(count):
        assert f"Ví Dụ {number}" in " ".join(text.split())
    assert text.count("Mã dùng một lần.") == count


def test_the_codes_of_slips_are_read_back_from_the_page() -> None:
    read = codes_of(slips(sheet(PER_PAGE), AT), scale=3)
    assert sorted(read) == [f"ABCDEFGHJKMNPQRSTVWXYZ{number:04}" for number in range(PER_PAGE)]


@pytest.mark.parametrize("with_code", [True, False])
def test_no_letter_of_the_longest_words_falls_off_its_slip(with_code: bool) -> None:
    slip = replace(
        one_slip(1, "Trung tâm Y tế huyện Ví Dụ " * 5, with_code),
        details=[("Tên nhãn rất dài", "giá trị " * 9)] * 3,
    )
    long = ["Mở trang quản trị của cơ sở " * 5] * 3
    made = slips(replace(sheet(0), slips=[slip], steps=long, warning="Chỉ giao tận tay " * 9), AT)
    width, height = MILLIMETRE * 105, MILLIMETRE * 74.25
    assert letters_outside(made, width, height) == []
    if with_code:
        assert codes_of(made, scale=4) == [slip.code]


def test_more_slips_than_a_document_holds_are_not_cut_in_silence() -> None:
    with pytest.raises(ValueError, match="more than a document holds"):
        slips(sheet(SLIPS_MAX + 1, with_code=False), AT)


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_s35_no_text_is_markup_on_a_print_sheet(text: str) -> None:
    made = poster(on_the_wall(text, text, text), AT)
    assert len(pdf_pages(made)) == 1
    assert codes_of(made) == [TEXT]
    assert len(pdf_pages(slips(sheet(1, text, with_code=False), AT))) == 1
