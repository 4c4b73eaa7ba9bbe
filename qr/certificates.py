"""Codes of certificates: error level Q and the best of the eight masks, as the specification recommends for
print (hcert-spec 1.0.8 §4.2.3)."""

from typing import Final

from qr.draw import Level, best_matrix, picture_png, picture_svg

ERROR_LEVEL: Final[Level] = "Q"


def matrix(text: str) -> list[list[bool]]:
    """As qr.draw.best_matrix."""
    return best_matrix(text, ERROR_LEVEL)


def svg(text: str) -> str:
    """As qr.draw.svg."""
    return picture_svg(matrix(text))


def png(text: str) -> bytes:
    """As qr.draw.png."""
    return picture_png(matrix(text))
