"""Numbers and pure rules of links (consent.md §3.2, SMART Health Links STU 1)."""

import re
import secrets
from datetime import datetime, timedelta
from typing import Final

from consent.links.models import LinkRow, LinkState

DURATION_DEFAULT: Final = 24 * 3600
DURATION_MIN: Final = 300
DURATION_MAX: Final = 30 * 24 * 3600
LABEL_MAX: Final = 80
LIVE_MAX: Final = 10
TRIES: Final = 5
PASSCODE_DIGITS: Final = 8
PASSCODE_MIN: Final = 6
PASSCODE_MAX: Final = 32
TICKET_LIFE: Final = timedelta(seconds=60)
RECIPIENT_MAX: Final = 200
FILES_BYTES_MAX: Final = 20 * 1024 * 1024

# Beside runs, repetitions and dates; letters and digits alone, small.
_COMMON: Final = frozenset(
    {
        *("password", "passw0rd", "qwerty", "qwertyuiop", "asdfgh", "zxcvbn", "letmein", "welcome", "admin"),
        *("iloveyou", "abc123", "abcd1234", "1q2w3e", "1q2w3e4r", "monkey", "dragon", "matkhau", "anhyeuem"),
        *("emyeuanh", "yeuem", "vietnam", "hanoi", "saigon", "suckhoe", "benhvien", "112233", "121212"),
        *("123321", "147258", "159753", "789456", "999888", "102030", "147258369", "123654", "456789"),
    }
)
_RUNS: Final = ("01234567890", "09876543210", "abcdefghijklmnopqrstuvwxyz")


def draw_passcode() -> str:
    """Eight random digits (26.6 bits), none that an own choice would be refused for."""
    while True:
        drawn = f"{secrets.randbelow(10**PASSCODE_DIGITS):0{PASSCODE_DIGITS}d}"
        if not is_common(drawn):
            return drawn


def is_common(passcode: str) -> bool:
    """Whether somebody with five tries would think of it: few different characters, a run, a word, a year."""
    text = passcode.lower()
    stem = re.sub(r"[^a-z0-9]+", "", text)
    letters = re.sub(r"\d+$", "", stem)
    half = len(text) // 2
    return (
        len(set(text)) < 3
        or any(stem in run or stem in run[::-1] for run in _RUNS)
        or stem in _COMMON
        or letters in _COMMON
        or (len(text) % 2 == 0 and text[:half] == text[half:])
        or re.fullmatch(r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])((19|20)\d\d|\d\d)", text) is not None
        or re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", text) is not None
    )


def own_words(recipient: str) -> str:
    """What an opener says of itself, on one line: no control or direction mark moves the text round it."""
    plain = "".join(char if char.isprintable() else " " for char in recipient)
    return " ".join(plain.split())


def state_of(link: LinkRow, now: datetime) -> LinkState:
    """What its owner is told of a link."""
    if link.ended_at is not None:
        return "revoked"
    if now >= link.expires_at:
        return "expired"
    if link.locked_at is not None:
        return "locked"
    return "held" if link.held else "live"
