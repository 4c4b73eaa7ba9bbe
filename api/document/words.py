"""Tags by audience and the summaries in Vietnamese and English."""

from typing import Any


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document."""
    del document
