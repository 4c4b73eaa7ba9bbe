"""The book as files: some at once, the whole of it only signed by the browser's key (security.md S11)."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.exporting import BOOK, BUNDLE, EVERYTHING, EXPORT_TYP, IPS
from api.pages.showing import CITIZEN, open_visit
from api.pages.signing import step_up_header, texts_to_sign
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import refuse

TITLE: Final = ("Tải xuống", "Downloads")


class File(Struct, frozen=True):
    """part: as it is signed. path: of the contract. name, words: in both languages."""

    part: str
    path: str
    name: tuple[str, str]
    words: tuple[str, str]


FILES: Final[dict[str, File]] = {
    "book": File(
        BOOK.part,
        "/v1/me/exports/book.pdf",
        ("Sổ sức khỏe để in", "The book to print"),
        ("Tệp PDF khổ A4, để đọc và in.", "A PDF in A4, to read and to print."),
    ),
    "summary": File(
        IPS.part,
        "/v1/me/exports/ips",
        ("Bản tóm tắt quốc tế", "International summary"),
        ("Dành cho phần mềm của bệnh viện, kể cả ở nước ngoài.", "For hospitals' software, abroad too."),
    ),
    "record": File(
        BUNDLE.part,
        "/v1/me/exports/bundle",
        ("Toàn bộ hồ sơ cho phần mềm khác", "The whole record for other software"),
        ("Mọi mục trong sổ, để chuyển sang ứng dụng khác.", "Every entry, to take to another app."),
    ),
    "everything": File(
        EVERYTHING.part,
        "/v1/me/exports/everything",
        ("Mọi thứ hệ thống lưu về tôi", "Everything held about me"),
        ("Một tệp nén: hồ sơ, nhật ký, thiết bị, thiết lập.", "One archive: record, log, devices, settings."),
    ),
}


@get("/me/downloads", operation_id="page_me_downloads", **CITIZEN)
async def downloads(call: NamedDependency[Call]) -> Response[bytes]:
    """What can be taken along, and what each file is for."""
    visit = open_visit(call, "citizen")
    await visit.read("/v1/me")
    # The book of another is not taken along.
    each = {} if visit.book else {name: {"export": one.part} for name, one in FILES.items()}
    signings = await texts_to_sign(visit, EXPORT_TYP, each)
    files = [
        {"file": name, "name": one.name, "words": one.words, "signing": signings.get(name)}
        for name, one in FILES.items()
    ]
    return visit.show(
        "citizen/downloads.html", TITLE, nav="downloads", files=files, has_key=any(signings.values())
    )


@post("/me/downloads/{file:str}", status_code=200, operation_id="page_me_download", **CITIZEN)
async def download(file: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """One file, under what the key signed."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    wanted = FILES.get(file)
    if wanted is None:
        refuse(NOT_FOUND)
    return visit.download(wanted.path, headers=step_up_header(form))


handlers: list[Any] = [downloads, download]
