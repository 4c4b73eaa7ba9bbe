"""The published vectors of push data; `python -m tests.notifications.vectors` writes them again."""

from pathlib import Path
from typing import Any, get_args

import msgspec

from notifications.models import NotificationType
from notifications.policy import SMS_ONLY

FILE = Path(__file__).parents[2] / "mobile-contract" / "vectors" / "push.json"
ID = "019aa3f0-0000-7000-8000-000000000007"
PUSHED = [type_ for type_ in get_args(NotificationType) if type_ not in SMS_ONLY]


def case(name: str, expect: str, **data: str) -> dict[str, Any]:
    return {"name": name, "input": {"v": "1", "id": ID} | data, "expect": expect}


def cases() -> list[dict[str, Any]]:
    """expect `show`: show the type's constant words; `refresh`: ignore it and fetch the inbox."""
    return [
        *(case(f"type {type_}", "show", type=type_) for type_ in PUSHED),
        case("unknown type", "refresh", type="of-next-year"),
        case("unknown extra field", "refresh", type="check-in", extra="1"),
        case("version 2", "refresh", type="check-in", v="2"),
    ]


def document() -> bytes:
    return msgspec.json.format(msgspec.json.encode({"v": "1", "cases": cases()}), indent=1) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(document())
