"""Texts inside texts: base64 in base64, addresses that carry data, attachments that are text after all."""

import base64
import binascii
import re

DEPTH = 3
SHORTEST = 12
_WHOLE = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}\s*")
_DATA_URL = re.compile(r"data:[^,\s]{0,100};base64,([A-Za-z0-9+/_-]{4,}={0,2})", re.IGNORECASE)
_BOMS_16 = (b"\xff\xfe", b"\xfe\xff")


def decode(data: str) -> bytes | None:
    """The bytes of base64 in either alphabet, with white space; None when it is none."""
    try:
        return base64.b64decode("".join(data.split()).replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None


def as_text(raw: bytes) -> str | None:
    """The text of bytes that are text: UTF-8, or UTF-16 with its mark."""
    try:
        text = raw.decode("utf-16" if raw.startswith(_BOMS_16) else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def texts_inside(text: str) -> list[str]:
    """What a text holds in base64, as a whole or in data addresses, layer by layer; at most three layers."""
    found: list[str] = []
    layer = [text]
    for _ in range(DEPTH):
        layer = [inner for one in layer for inner in _unwrapped(one)]
        found += layer
    return found


def may_hold(text: str) -> bool:
    """Whether it is worth a closer look: nearly all texts hold a space or are short."""
    if " " in text:
        return "base64," in text
    return _WHOLE.fullmatch(text) is not None or "base64," in text


def _unwrapped(text: str) -> list[str]:
    packed = _DATA_URL.findall(text) if "base64," in text else []
    squeezed = "".join(text.split()) if "\n" in text and " " not in text.strip() else text
    if _WHOLE.fullmatch(squeezed):
        packed.append(squeezed)
    texts = [as_text(raw) for one in packed if (raw := decode(one)) is not None]
    return [one for one in texts if one is not None and (one.isprintable() or "\n" in one)]
