"""The published vectors of links and share codes: `python -m tests.consent.links.vectors` writes them."""

from datetime import UTC, datetime
from typing import Final

from consent.links.policy import is_common
from consent.links.problems import PASSCODE_TOO_EASY
from consent.links.wire import link_text
from consent.share_codes.policy import typed
from consent.share_codes.problems import SHARE_CODE_INVALID
from tests.support import vectors
from tests.support.vectors import Case, refused, taken

FILE: Final = vectors.PLACE / "sharing.json"
ADDRESS = "https://so.example.vn/v1/shl/" + "Q" * 43
KEY = bytes(range(32))
EXPIRES = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CODES = ("7z0k1abc", "7Z0K-1ABC", "7zOk-lABC", "SSK-CODE:7Z0K1ABC", "7Z0K1ABU", "7Z0K1AB")
PASSCODES = ("84920571", "hoa-sen-93", "123456", "12031985", "matkhau1")


def link(name: str, viewer: str, long_term: bool) -> Case:
    label = "Cho bác sĩ ở Berlin"
    given = {
        "what": "link",
        "viewer": viewer,
        "url": ADDRESS,
        "key": KEY.hex(),
        "exp": int(EXPIRES.timestamp()),
        "long_term": long_term,
        "label": label,
    }
    text = link_text(viewer, ADDRESS, KEY, expires_at=EXPIRES, long_term=long_term, label=label)
    return vectors.case(name, given, taken({"text": text}))


def share_code(text: str) -> Case:
    found = typed(text)
    expect = refused(SHARE_CODE_INVALID.code) if found is None else taken({"code": found})
    return vectors.case(f"share code {text}", {"what": "share-code", "text": text}, expect)


def passcode(text: str) -> Case:
    expect = refused(PASSCODE_TOO_EASY.code) if is_common(text) else taken({"passcode": text})
    return vectors.case(f"passcode {text}", {"what": "passcode", "text": text}, expect)


def cases() -> list[Case]:
    return [
        link("the link alone", "", False),
        link("a long-term link behind a viewer", "https://viewer.example/xem#", True),
        *map(share_code, CODES),
        *map(passcode, PASSCODES),
    ]


def document() -> bytes:
    about = (
        "input.what: link (the SMART Health Link that these make), share-code (what somebody typed and the "
        "code that is meant) or passcode (one that a person chose for a link)"
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
