"""Numbers of a dose text: `2`, `02`, `0,5`, `1/2`, `1 1/2` and `nửa`, a half."""

import re
from decimal import Decimal
from typing import Final

NUMBER: Final = r"(?:\d{1,5}(?:[.,]\d{1,4})?(?: ?/ ?\d{1,2}(?![\d/]))?|\d{1,2} \d ?/ ?\d|nửa)"
_MIXED: Final = re.compile(r"(\d{1,2}) (\d ?/ ?\d)")


def number(text: str) -> Decimal | None:
    """To four places; None where it cannot be an amount."""
    if text == "nửa":
        return Decimal("0.5")
    mixed = _MIXED.fullmatch(text)
    whole, rest = mixed.groups() if mixed else ("0", text)
    top, slash, bottom = rest.replace(" ", "").replace(",", ".").partition("/")
    value = Decimal(top)
    if slash:
        if Decimal(bottom) == 0:
            return None
        value = value / Decimal(bottom)
    value += Decimal(whole)
    return tidy(value) if value > 0 else None


def tidy(value: Decimal) -> Decimal:
    """To four places, without the zeros that say nothing."""
    value = value.quantize(Decimal("0.0001")).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value
