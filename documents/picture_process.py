"""The limited process that decodes a stranger's file and draws it anew. Only its limits are imported.

Standard input: a JPEG, a PNG or a PDF; standard output: the same picture without metadata, or a PDF whose
pages are pictures of the pages that came in. It cannot open a file for writing, and dies when it takes too
much memory or time: what a hostile file may do ends here.
"""

import io
import math
import resource
import sys
from typing import Any

MEMORY_BYTES_MAX = 768 * 1024 * 1024
SECONDS_MAX = 10
PIXELS_MAX = 12_000_000
JPEG_QUALITY = 85

PDF_SECONDS_MAX = 30
PAGES_MAX = 40
# A4 is drawn at 150 dots per inch, 2.2 megapixels; a larger page more coarsely.
DOTS_PER_POINT = 150 / 72
PAGE_PIXELS_MAX = 4_000_000
# How the process says what it does not draw: a PDF that asks for a password, and one of too many pages.
LOCKED = 3
TOO_LONG = 4


def limit(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def remade(data: bytes) -> bytes:
    """The pixels alone, upright, in the format they came in."""
    # The program takes its limits from this file and never pays for the decoder.
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    picture = Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
    as_png = picture.format == "PNG"
    upright = ImageOps.exif_transpose(picture)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    plain = upright.convert("RGBA" if as_png and has_alpha else "RGB")
    # Pixels only: what was in `info` (EXIF, text, profiles) stays behind.
    clean = Image.frombytes(plain.mode, plain.size, plain.tobytes())
    out = io.BytesIO()
    clean.save(out, "PNG") if as_png else clean.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def redrawn(data: bytes) -> bytes:
    """A new PDF with a picture of every page as a reader sees it: no script, file, link or form came along.

    The reader is built without a JavaScript engine and without XFA.
    """
    import pypdfium2  # noqa: PLC0415
    from pypdfium2 import raw  # noqa: PLC0415

    try:
        told = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        sys.exit(LOCKED if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD else 1)
    if len(told) > PAGES_MAX:
        sys.exit(TOO_LONG)
    # Without its form layer a form that was filled in looks empty.
    told.init_forms()
    made = pypdfium2.PdfDocument.new()
    for number in range(len(told)):
        page = told[number]
        _add_picture(pypdfium2, made, page)
        page.close()
    out = io.BytesIO()
    made.save(out)
    return out.getvalue() if len(made) else sys.exit(1)


def _add_picture(pypdfium2: Any, made: Any, page: Any) -> None:
    width, height = page.get_size()
    scale = min(DOTS_PER_POINT, math.sqrt(PAGE_PIXELS_MAX / (width * height)))
    drawn = page.render(scale=scale).to_pil().convert("RGB")
    jpeg = io.BytesIO()
    drawn.save(jpeg, "JPEG", quality=JPEG_QUALITY)
    picture = pypdfium2.PdfImage.new(made)
    picture.load_jpeg(jpeg, inline=True)
    picture.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
    sheet = made.new_page(width, height)
    sheet.insert_obj(picture)
    sheet.gen_content()
    sheet.close()


if __name__ == "__main__":
    is_pdf = sys.argv[1:] == ["pdf"]
    limit(PDF_SECONDS_MAX if is_pdf else SECONDS_MAX)
    read = sys.stdin.buffer.read()
    sys.stdout.buffer.write(redrawn(read) if is_pdf else remade(read))
