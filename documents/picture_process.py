"""The limited process that decodes a stranger's picture and draws it anew. Only its limits are imported.

Standard input: a JPEG or PNG; standard output: the same picture without metadata. It cannot open a file for
writing, and dies when it takes too much memory or time: what a hostile picture may do ends here.
"""

import io
import resource
import sys

MEMORY_BYTES_MAX = 768 * 1024 * 1024
SECONDS_MAX = 10
PIXELS_MAX = 12_000_000
JPEG_QUALITY = 85


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
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


if __name__ == "__main__":
    limit()
    sys.stdout.buffer.write(remade(sys.stdin.buffer.read()))
