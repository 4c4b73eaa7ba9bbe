"""Names in the letters of a passport's machine-readable zone (ICAO Doc 9303-3 §6; vaccination.md §5)."""

import re
import unicodedata
from typing import Final

FILLER: Final = "<"
LENGTH_MAX: Final = 80

# Letters that do not come apart into a base letter and marks, and those whose mark is spelled out. Đ is D by
# Vietnamese passport practice.
_SPELLED: Final = str.maketrans(
    dict(zip("ĐÐŁĦŦŊĸ", "DDLHTNK", strict=True))
    | dict(zip("ÄÖÜÅÆØŒẞÞĲ", ("AE", "OE", "UE", "AA", "AE", "OE", "OE", "SS", "TH", "IJ"), strict=True))
)
_GAPS: Final = re.compile(r"[\s\-‐‑‒–—−<]+")
_DROPPED: Final = re.compile(r"[^A-Z<]")


def icao(text: str) -> str:
    """A name with `<` between its words: `Đỗ Thị Ánh Đào` is DO<THI<ANH<DAO. Empty where none is left."""
    spelled = unicodedata.normalize("NFC", text).upper().translate(_SPELLED)
    letters = "".join(one for one in unicodedata.normalize("NFD", spelled) if not unicodedata.combining(one))
    words = _DROPPED.sub("", _GAPS.sub(FILLER, letters)).split(FILLER)
    return FILLER.join(word for word in words if word)[:LENGTH_MAX].rstrip(FILLER)


def split_name(full: str) -> tuple[str, str]:
    """Family name (the first word) and middle with given name, as a Vietnamese name is written."""
    family, _, given = " ".join(unicodedata.normalize("NFC", full).split()).partition(" ")
    return family, given
