"""`healthbook admin facilities print`: every code of an import on one slip, for its owner's eyes alone."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from documents.csv import write
from documents.slips import PER_PAGE, SLIPS_MAX
from healthbook.cli import main
from healthbook.code_slips import COLUMNS
from tests.support.exports import pdf_pages
from tests.support.rendering import codes_of


def code(number: int) -> str:
    return f"ABCD-EFGH-{number:04}"


def sheets(directory: Path, count: int) -> Path:
    path = directory / "codes.csv"
    rows = [
        ("01" + f"{n:03}", f"Trạm Y tế Ví Dụ {n}", code(n), "2026-12-21T17:30:00+00:00") for n in range(count)
    ]
    path.write_bytes(write([COLUMNS, *rows]))
    return path


def printed(path: Path, directory: Path) -> Result:
    return CliRunner().invoke(main, ["admin", "facilities", "print", str(path), str(directory)])


def test_every_code_is_on_one_slip_with_the_day_it_ends_on_in_vietnam(tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = printed(sheets(tmp_path, PER_PAGE + 1), out)
    assert told.exit_code == 0, told.output
    assert "9 slips" in told.output
    (made,) = out.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    data = made.read_bytes()
    first, second = pdf_pages(data)
    assert all(code(number) in first for number in range(PER_PAGE))
    assert code(PER_PAGE) in second
    assert "22/12/2026" in first
    assert sorted(codes_of(data, scale=3)) == [code(number) for number in range(PER_PAGE)]


def test_more_codes_than_a_document_holds_make_another(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert printed(sheets(tmp_path, SLIPS_MAX + 1), out).exit_code == 0
    one, other = sorted(out.iterdir())
    assert (len(pdf_pages(one.read_bytes())), len(pdf_pages(other.read_bytes()))) == (
        SLIPS_MAX // PER_PAGE,
        1,
    )


def test_slips_that_are_there_are_not_overwritten(tmp_path: Path) -> None:
    path, out = sheets(tmp_path, 1), tmp_path / "out"
    assert printed(path, out).exit_code == 0
    before = (out / "slips-0001.pdf").read_bytes()
    told = printed(path, out)
    assert told.exit_code == 2
    assert "there already" in told.output
    assert (out / "slips-0001.pdf").read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"code,name\r\n1,2\r\n",
        b"code,name,activation_code,expires_at\r\n01001,A,,2026-12-21T17:30:00+00:00\r\n",
        b"code,name,activation_code,expires_at\r\n01001,A,X,soon\r\n",
        b"code,name,activation_code,expires_at\r\n01001\r\n",
    ],
)
def test_a_file_that_no_import_wrote_is_named_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    path, out = tmp_path / "x.csv", tmp_path / "out"
    path.write_bytes(content)
    told = printed(path, out)
    assert told.exit_code == 2, told.output
    assert "no file of codes" in told.output
    assert list(out.iterdir()) == []
