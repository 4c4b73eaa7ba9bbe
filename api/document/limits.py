"""Lengths, ranges and formats of whatever has none of its own."""

from typing import Any


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document."""
    del document
