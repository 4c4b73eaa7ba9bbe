"""The sample data beside the repository."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def shared(path: str) -> Path:
    """A file or folder of ../shared; a test that needs it is skipped aloud where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"NOT TESTED: {found} is missing, sample data must lie beside the repository")
    return found
