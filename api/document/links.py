"""Where an answer's ids lead."""

from typing import Any


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document."""
    del document
