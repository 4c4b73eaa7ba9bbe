"""`healthbook admin facilities print`: the codes that an import wrote, as slips to cut apart and hand out."""

import csv
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from documents.slips import SLIPS_MAX, Slip, SlipSheet, slips
from healthbook.wiring import StartError
from kernel.clock import VIETNAM, SystemClock
from qr.draw import svg

COLUMNS: Final = ("code", "name", "activation_code", "expires_at")
TITLE: Final = "Mã kích hoạt cơ sở trên Sổ sức khỏe điện tử"
STEPS: Final = (
    "Nhập mã này vào phần mềm của cơ sở; nơi chưa có phần mềm nhờ người đã giao phiếu.",
    "Mã dùng một lần và lập tài khoản quản trị đầu tiên của cơ sở.",
    "Cất kỹ tên đăng nhập và mật khẩu được cấp, rồi hủy giấy này.",
)
WARNING: Final = "Chỉ giao tận tay người quản trị của cơ sở. Ai có mã này là lập được tài khoản."


def print_slips(path: Path, directory: Path, say: Callable[[str], None]) -> int:
    """Write slips-0001.pdf and on into the directory, readable by their owner alone. Returns how many slips.

    Raises StartError for a file that no import wrote, and for a document that is there already.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    now, count = SystemClock().now(), 0
    rows = _rows(path)
    printed = f"In ngày {now.astimezone(VIETNAM):%d/%m/%Y}"
    for number, some in enumerate(iter(lambda: list(islice(rows, SLIPS_MAX)), []), start=1):
        sheet = SlipSheet(title=TITLE, steps=list(STEPS), warning=WARNING, printed=printed, slips=some)
        _write(directory / f"slips-{number:04}.pdf", slips(sheet, now))
        count += len(some)
        say(f"{count} slips")
    return count


def _rows(path: Path) -> Iterator[Slip]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            if tuple(lines.fieldnames or ()) != COLUMNS:
                raise StartError(f"{path.name} is no file of codes: its heads are not {', '.join(COLUMNS)}.")
            yield from (_slip(line) for line in lines)
    except (UnicodeDecodeError, ValueError, TypeError, csv.Error) as error:
        raise StartError(f"{path.name} is no file of codes.") from error


def _slip(line: dict[str, str]) -> Slip:
    expires = datetime.fromisoformat(line["expires_at"]).astimezone(VIETNAM)
    code = line["activation_code"]
    if not code:
        raise ValueError("a line without a code")
    details = [("Mã cơ sở", line["code"]), ("Dùng được đến", f"{expires:%d/%m/%Y}")]
    return Slip(name=line["name"], details=details, code=code, code_svg=svg(code))


def _write(path: Path, data: bytes) -> None:
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    except FileExistsError as error:
        raise StartError(f"{path} is there already; codes in it are not overwritten.") from error
