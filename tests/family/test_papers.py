"""The two papers of a desk's proxy: each says to its reader who may do what, and how it ends."""

import io
from datetime import UTC, date, datetime

import pypdfium2
import pytest

from family.desk import Written
from family.models import Scope
from family.papers import papers
from tests.support.exports import pdf_pages
from tests.support.rendering import codes_of

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
CODE = "ABCDEFGHIJKLMNOPQRSTUVWX23"
ALL: list[Scope] = ["appointments", "reminders", "vitals", "read-record", "add-to-record", "consent"]


def written(name: str = "Y Thoan Ksơr") -> Written:
    return Written(
        code=CODE,
        name=name,
        scopes=ALL,
        until=date(2027, 6, 30),
        expires_at=datetime(2026, 11, 30, 4, tzinfo=UTC),
        proxy_ending="0110",
    )


def halves_of(data: bytes) -> tuple[str, str]:
    """What stands on the relative's half, and on the person's, which comes second."""
    (page,) = pdf_pages(data)
    theirs, _, own = " ".join(page.split()).partition("Bản của Y Thoan Ksơr")
    return theirs, own


def test_both_papers_name_who_may_act_by_the_end_of_the_card() -> None:
    theirs, own = halves_of(papers(written(), "1900 0000", NOW))
    for half in (theirs, own):
        assert "số thẻ căn cước tận cùng 0110" in half
        assert "đọc sổ" in half
        assert "30/06/2027" in half


def test_the_persons_paper_has_no_code_no_word_about_one_and_says_to_the_person_how_it_ends() -> None:
    made = papers(written(), "1900 0000", NOW)
    theirs, own = halves_of(made)
    assert codes_of(made) == [CODE]
    assert "ABCDE-FGHIJ" in theirs
    assert "số thẻ đã ghi tại quầy" in theirs
    assert "mã" not in own.lower().split()
    assert "ABCDE" not in own
    assert "thẻ căn cước của ông/bà" in own
    assert "1900 0000" in own


@pytest.mark.parametrize("name", ["Y Thoan Ksơr", "Công Tằng Tôn Nữ Thị Hoàng Phượng " * 3])
def test_the_papers_fill_the_page_in_letters_that_somebody_over_sixty_reads(name: str) -> None:
    made = papers(written(name), "1900 0000", NOW)
    assert len(pdf_pages(made)) == 1
    page = pypdfium2.PdfDocument(io.BytesIO(made))[0]
    text = page.get_textpage()
    boxes = [text.get_charbox(at) for at in range(text.count_chars()) if text.get_text_range(at, 1).isdigit()]
    # Digits are about 0.7 of the size of the letters: 15 points.
    assert min(top - bottom for _, bottom, _, top in boxes) > 9.5
    assert min(bottom for _, bottom, _, _ in boxes) < page.get_height() / 2
    assert all(left > 0 and right < page.get_width() and bottom > 0 for left, bottom, right, _ in boxes)
