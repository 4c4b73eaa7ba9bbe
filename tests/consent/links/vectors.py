"""The published vectors of links and share codes: `python -m tests.consent.links.vectors` writes them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from consent.links.policy import is_common
from consent.links.wire import link_text
from consent.share_codes.policy import typed

FILE = Path(__file__).parents[3] / "mobile-contract" / "vectors" / "sharing.json"
ADDRESS = "https://so.example.vn/v1/shl/" + "Q" * 43
KEY = bytes(range(32))
EXPIRES = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CODES = ("7z0k1abc", "7Z0K-1ABC", "7zOk-lABC", "SSK-CODE:7Z0K1ABC", "7Z0K1ABU", "7Z0K1AB")
PASSCODES = ("84920571", "hoa-sen-93", "123456", "12031985", "matkhau1")


def links() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "input": {
                "viewer": viewer,
                "url": ADDRESS,
                "key": KEY.hex(),
                "exp": int(EXPIRES.timestamp()),
                "long_term": long_term,
                "label": "Cho bác sĩ ở Berlin",
            },
            "expect": link_text(
                viewer, ADDRESS, KEY, expires_at=EXPIRES, long_term=long_term, label="Cho bác sĩ ở Berlin"
            ),
        }
        for name, viewer, long_term in (
            ("the link alone", "", False),
            ("a long-term link behind a viewer", "https://viewer.example/xem#", True),
        )
    ]


def document() -> bytes:
    cases = {
        "v": "1",
        "links": links(),
        "share_codes": [{"input": one, "expect": typed(one)} for one in CODES],
        "passcodes": [{"input": one, "expect": "refuse" if is_common(one) else "take"} for one in PASSCODES],
    }
    return msgspec.json.format(msgspec.json.encode(cases), indent=1) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(document())
