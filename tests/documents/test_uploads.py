"""PDFs of strangers: what is kept are pictures of their pages and nothing else (security.md S33, S35)."""

import io
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from documents import pictures
from documents.picture_process import PAGE_PIXELS_MAX, PAGES_MAX
from documents.uploads import PDF_BYTES_MAX, UploadError, UploadLocked, UploadTooLarge, take
from tests.support.pdfs import hidden_script, pdf, stream

ACTIVE = {
    "a script": b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>",
    "a script in disguise": b"/OpenAction<</S/Java#53cript/JS(app.alert\\(1\\))>>",
    "a program": b"/OpenAction<</S/Launch/F(cmd.exe)>>",
    "an address": b"/OpenAction<</S/URI/URI(http://x.example)>>",
    "a form that sends": b"/OpenAction<</S/SubmitForm/F(http://x.example)>>",
    "another file": b"/OpenAction<</S/GoToR/F(x.pdf)/D[0/Fit]>>",
    "files inside": b"/Names<</EmbeddedFiles<</Names[(a)9 0 R]>>>>",
}
FILE = b"9 0 obj<</Type/Filespec/F(a.exe)/EF<</F 10 0 R>>>>endobj\n10 0 obj%sendobj\n" % stream(
    b"", b"MZ-secret"
)


async def kept(content: bytes) -> PdfReader:
    upload = await take(content, may_be_pdf=True)
    assert upload.media_type == "application/pdf"
    return PdfReader(io.BytesIO(upload.data))


def names_in(thing: Any, seen: set[int] | None = None) -> set[str]:
    """Every name and key that is reached from an object of the file."""
    seen = set() if seen is None else seen
    thing = thing.get_object() if hasattr(thing, "get_object") else thing
    if id(thing) in seen:
        return set()
    seen.add(id(thing))
    parts = [*thing.keys(), *thing.values()] if isinstance(thing, dict) else thing
    if isinstance(parts, str):
        return {parts}
    return set().union(*(names_in(part, seen) for part in parts)) if isinstance(parts, list) else set()


async def test_s35_a_script_in_an_object_stream_does_not_come_along() -> None:
    hidden = hidden_script()
    assert b"JavaScript" not in hidden
    assert "/JavaScript" in names_in(PdfReader(io.BytesIO(hidden)).trailer)
    made = await kept(hidden)
    assert "/JavaScript" not in names_in(made.trailer)
    assert set(made.root_object) == {"/Type", "/Pages"}


@pytest.mark.parametrize("entry", ACTIVE.values(), ids=ACTIVE)
async def test_s35_nothing_active_comes_along(entry: bytes) -> None:
    content = pdf(catalog=entry, more=FILE)
    made = await kept(content + b"PK\x03\x04<script>alert(1)</script>")
    assert set(made.root_object) == {"/Type", "/Pages"}
    assert set(made.pages[0]) <= {"/Type", "/Parent", "/MediaBox", "/Contents", "/Resources", "/Rotate"}
    whole = (await take(content, may_be_pdf=True)).data
    assert not any(word in whole for word in (b"x.example", b"cmd.exe", b"MZ-secret", b"alert"))


async def test_every_page_is_kept_as_it_looks_and_of_its_size() -> None:
    made = await kept(pdf(3, size=(200, 400)))
    assert [tuple(map(float, page.mediabox)) for page in made.pages] == [(0, 0, 200, 400)] * 3
    (picture,) = made.pages[2].images
    drawn = Image.open(io.BytesIO(picture.data)).convert("RGB")
    width, height = drawn.size
    red, green, _ = drawn.getpixel((width // 4, height - height // 8))  # type: ignore[misc]
    assert (red > 150, green < 60) == (True, True)
    assert drawn.getpixel((width - 5, 5)) == (255, 255, 255)


async def test_s33_a_page_of_any_size_is_drawn_within_its_pixels() -> None:
    (page,) = (await kept(pdf(size=(14_400, 14_400)))).pages
    width, height = Image.open(io.BytesIO(page.images[0].data)).size
    assert 0 < width * height <= PAGE_PIXELS_MAX * 1.01


async def test_s33_too_many_pages_and_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len((await kept(pdf(PAGES_MAX))).pages) == PAGES_MAX
    with pytest.raises(UploadTooLarge):
        await take(pdf(PAGES_MAX + 1), may_be_pdf=True)

    async def decoded(*_: object) -> bytes:
        raise AssertionError("decoded")

    monkeypatch.setattr(pictures, "_run", decoded)
    with pytest.raises(UploadTooLarge):
        await take(pdf() + bytes(PDF_BYTES_MAX), may_be_pdf=True)


async def test_a_pdf_with_a_password_is_told_apart() -> None:
    for password, owner in (("bi-mat", None), ("", "chu")):
        writer = PdfWriter(io.BytesIO(pdf()))
        writer.encrypt(password, owner, algorithm="AES-256")
        locked = io.BytesIO()
        writer.write(locked)
        if password:
            with pytest.raises(UploadLocked):
                await take(locked.getvalue(), may_be_pdf=True)
        else:
            # Everybody can open it, so it can be drawn.
            assert not (await kept(locked.getvalue())).is_encrypted


async def test_s33_what_is_broken_or_a_bomb_is_refused() -> None:
    huge = stream(b"/Subtype/Image/Width 65000/Height 65000/BitsPerComponent 8/ColorSpace/DeviceRGB", b"0")
    bomb = pdf().replace(b"/Resources<<>>", b"/Resources<</XObject<</A 9 0 R>>>>") + b"9 0 obj" + huge
    for content in (b"%PDF-1.7", b"%PDF-1.7 junk", pdf()[:60], pdf(0)):
        with pytest.raises(UploadError):
            await take(content, may_be_pdf=True)
    assert len((await kept(bomb)).pages) == 1


async def test_a_pdf_is_none_where_pictures_alone_are_taken() -> None:
    with pytest.raises(UploadError):
        await take(pdf())
