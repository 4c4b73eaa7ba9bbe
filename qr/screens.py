"""Pictures of a counter's code: on a screen, drawn anew every half minute for every counter of the country,
and on a poster, which gets dirty and is scanned from afar: level Q there bears a quarter of it lost."""

from typing import Final

from qr.draw import Level, best_matrix, picture_png, picture_svg

SCREEN_LEVEL: Final[Level] = "M"
POSTER_LEVEL: Final[Level] = "Q"


def screen_svg(text: str) -> str:
    """As qr.draw.svg, with the best mask."""
    return picture_svg(best_matrix(text, SCREEN_LEVEL))


def screen_png(text: str) -> bytes:
    """As qr.draw.png, with the best mask."""
    return picture_png(best_matrix(text, SCREEN_LEVEL))


def poster_svg(text: str) -> str:
    """For the paper that documents/ sets."""
    return picture_svg(best_matrix(text, POSTER_LEVEL))
