"""Papers: one page stays one page, no text is markup, and every letter of Vietnamese is there (S35)."""

import ast
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from documents.pdf import Block, Line, Paper, book, sheet
from documents.plain import plain
from tests.support.exports import pdf_pages
from tests.support.hostile import HOSTILE_TEXTS

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
LETTERS = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ"
KEYS = ("allergies", "alerts", "problems", "medications", "results", "encounters", "immunizations")


def paper(count: int, title: str = "Đái tháo đường típ 2", detail: str = "2 viên/lần * 2 lần/ngày") -> Paper:
    lines = [
        Line(title=f"{title} {number}", detail=detail, when="02/09/2026", where="Bệnh viện A")
        for number in range(count)
    ]
    blocks = [Block(key=key, title=f"Phần {key}", lines=lines, empty="Chưa có thông tin.") for key in KEYS]
    facts, notices = ["Nữ", "sinh 1958"], ["Thông tin có thể chưa đầy đủ."]
    return Paper(
        title="Tóm tắt",
        name="Nguyễn Thị Hường",
        facts=facts,
        blocks=blocks,
        notices=notices,
        printed="Lập lúc",
    )


def test_s33_several_people_print_at_once() -> None:
    """A compiler of typst's serves one thread at a time and refuses a second one."""
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda count: book(paper(count), AT), [12, 14, 16, 18] * 2))
    shown = [" ".join(pdf_pages(pdf)).count("Đái tháo đường") for pdf in made]
    assert shown == [count * len(KEYS) for count in [12, 14, 16, 18] * 2]


@pytest.mark.parametrize("count", [0, 1, 5, 40, 400])
def test_one_page_stays_one_page_and_counts_what_it_left_out(count: int) -> None:
    (page,) = pdf_pages(sheet(paper(count), AT))
    shown, left = page.count("Đái tháo đường"), 0
    words = " ".join(page.split())
    for part in words.split("+ ")[1:]:
        number, _, rest = part.partition(" ")
        left += int(number) if rest.startswith("mục khác") else 0
    assert shown + left == count * len(KEYS)
    assert words.count("Chưa có thông tin.") == (len(KEYS) if count == 0 else 0)


def test_long_texts_stay_on_the_page() -> None:
    (page,) = pdf_pages(sheet(paper(60, "Rất dài " * 60, "chi tiết " * 200), AT))
    assert "mục khác không in" in " ".join(page.split())


def test_the_book_has_every_line() -> None:
    text = "\n".join(pdf_pages(book(paper(300), AT)))
    assert text.count("Đái tháo đường") == 300 * len(KEYS)


def test_every_vietnamese_letter_is_in_the_font() -> None:
    for letters in (LETTERS, LETTERS.upper()):
        for page in (*pdf_pages(sheet(paper(1, letters), AT)), *pdf_pages(book(paper(1, letters), AT))):
            assert letters in page.replace("\n", "")


def test_s35_no_text_is_markup() -> None:
    for make in (sheet, book):
        for text in HOSTILE_TEXTS:
            words = "".join("".join(pdf_pages(make(paper(1, text, text), AT))).split())
            wanted = "".join(plain(text, 60).rstrip("…").split())[:20]
            # Pictograms are in no font of ours; everything else is read as it was written.
            assert wanted in words or not wanted.isprintable() or "\U0001f9ea" in text, text


def test_s35_signs_that_act_are_left_out() -> None:
    assert plain("a\u202eb\x00c\r\nd\u200be\ufeff") == "abc de"
    assert plain("x" * 50, 10) == "x" * 9 + "…"
    assert plain("Đặng  Thị\tHường") == "Đặng Thị Hường"


def test_a_paper_of_the_same_data_is_the_same() -> None:
    assert sheet(paper(3), AT) == sheet(paper(3), AT)


def test_s35_each_format_has_one_writer() -> None:
    """typst, csv and the libraries of pictures and pages are imported by one module each; a code is read out
    of an operator's picture by another one, the demo draws a slip, and eight more modules read CSV."""
    allowed = {
        "typst": {"documents/pdf.py"},
        "csv": {
            "documents/csv.py",
            "ehr/growth/tables.py",
            "ehr/medicine_safety/tables.py",
            "ehr/rows/reading.py",
            "identity/population/reading.py",
            "vitals/imports/table.py",
            "healthbook/code_slips.py",
            "visits/directory/reading.py",
            "visits/places/reading.py",
        },
        "PIL": {"documents/picture_process.py", "healthbook/demo_vaccination.py", "qr/reading.py"},
        "pypdfium2": {"documents/picture_process.py"},
    }
    found: dict[str, set[str]] = {name: set() for name in allowed}
    packages = [
        path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("bench", "tests")
    ]
    for path in (file for package in packages for file in package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in {name.split(".")[0] for name in names} & allowed.keys():
                found[name].add(path.relative_to(ROOT).as_posix())
    assert found == allowed
