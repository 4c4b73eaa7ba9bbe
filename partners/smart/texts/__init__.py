"""What people read of a client's wish."""

from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct


class Texts(Struct, frozen=True):
    """boxes: what can be ticked, by its name. days: lengths of time."""

    boxes: dict[str, str]
    days: dict[str, str]


@cache
def texts() -> Texts:
    return msgspec.json.decode((Path(__file__).parent / "vi.json").read_bytes(), type=Texts)


def box_text(box: str) -> str:
    return texts().boxes[box]


def days_text(days: int) -> str:
    return texts().days[str(days)]
