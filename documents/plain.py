"""Text of a record as it may stand on paper or in markup: no sign that acts instead of being read."""

import unicodedata

# Joins the parts of some scripts and pictograms, and turns nothing round.
_JOINERS = "\u200c\u200d"


def plain(text: str, characters_max: int | None = None) -> str:
    """One line without control, direction and private signs, cut with an ellipsis where it is too long."""
    shown = "".join(_shown(sign) for sign in text)
    line = " ".join(shown.split())
    if characters_max is not None and len(line) > characters_max:
        return line[: characters_max - 1].rstrip() + "…"
    return line


def _shown(sign: str) -> str:
    if sign.isspace():
        return " "
    if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") and sign not in _JOINERS:
        return ""
    return sign
