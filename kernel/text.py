"""Vietnamese text, folded for search and comparison."""

import unicodedata


def fold(text: str) -> str:
    """Lower case, without tone marks, đ as d, white space squeezed: 'Đặng  Hường' → 'dang huong'."""
    if text.isascii():
        return " ".join(text.casefold().split())
    spread = unicodedata.normalize("NFKD", text).replace("đ", "d").replace("Đ", "D")
    bare = "".join(c for c in spread if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())
