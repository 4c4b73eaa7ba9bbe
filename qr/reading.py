"""Reading codes out of a picture file that lies on one's own machine. The service never decodes a stranger's
picture: a browser or an app reads the code and sends its text (security.md S33)."""

import io
from typing import cast

import zxingcpp

PIXELS_MAX = 12_000_000


class PictureError(Exception):
    """No picture, too large a one, or none that can be read."""


def read_codes(picture: bytes) -> list[str]:
    """The texts of all codes of a PNG or JPEG, in the order they are found. Raises PictureError."""
    # Only operators' commands read pictures; the service never pays for the decoder.
    from PIL import Image  # noqa: PLC0415

    try:
        opened = Image.open(io.BytesIO(picture), formats=["JPEG", "PNG"])
        if opened.width * opened.height > PIXELS_MAX:
            raise PictureError("too large")
        # Light behind what is transparent, as a page would be.
        page = Image.new("RGBA", opened.size, "white")
        grey = Image.alpha_composite(page, opened.convert("RGBA")).convert("L")
    except PictureError:
        raise
    except Exception as error:  # Pillow raises many kinds for broken files
        raise PictureError(type(error).__name__) from error
    pixels = memoryview(grey.tobytes()).cast("B", (grey.height, grey.width))
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in zxingcpp.read_barcodes(cast("bytes", pixels), formats)]
