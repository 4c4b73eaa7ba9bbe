"""Which app may call, and which operations are on their way out."""

from typing import Any


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document."""
    del document
