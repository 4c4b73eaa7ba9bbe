"""Vietnamese text: folding for search and comparison, and the sort key of names."""

import unicodedata


def fold(text: str) -> str:
    """Lower case, without tone marks, đ as d, white space squeezed: 'Đặng  Hường' → 'dang huong'."""
    if text.isascii():
        return " ".join(text.casefold().split())
    spread = unicodedata.normalize("NFKD", text).replace("đ", "d").replace("Đ", "D")
    bare = "".join(c for c in spread if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())


def name_key(name: str) -> str:
    """Sort key of a Vietnamese name: the given name (last word) first, then the rest."""
    words = fold(name).split()
    return " ".join(words[-1:] + words[:-1])
