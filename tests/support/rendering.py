"""A page as it is seen, and the codes on it."""

import io

import pypdfium2
import zxingcpp


def codes_of(data: bytes, page: int = 0, scale: float = 2.0) -> list[str]:
    """The texts of all QR codes on a page of a PDF; a table of figures passes for other kinds of bar code."""
    grey = pypdfium2.PdfDocument(io.BytesIO(data))[page].render(scale=scale).to_pil().convert("L")
    pixels = memoryview(grey.tobytes()).cast("B", (grey.height, grey.width))
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in zxingcpp.read_barcodes(pixels, formats)]


def letters_outside(data: bytes, width: float, height: float) -> list[str]:
    """The letters of the first page that stand outside its upper left corner of this size, in points."""
    page = pypdfium2.PdfDocument(io.BytesIO(data))[0]
    text = page.get_textpage()
    lowest = page.get_height() - height
    found = []
    for at in range(text.count_chars()):
        left, bottom, right, _ = text.get_charbox(at)
        if left < 0 or right > width or bottom < lowest:
            found.append(text.get_text_range(at, 1))
    return found
