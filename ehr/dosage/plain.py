"""One spelling for the many in which dose texts are typed. Nothing is read here.

Case, tones, blanks and entities; numbers written as words; words typed without tones, where a text has none
at all; and amounts that are given as a range, which are none (`words.json`, ours and unconfirmed).
"""

import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

WORDS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("words.json").read_text("utf-8"))
TEXT_CHARACTERS_MAX: Final = 1_100


def any_of(words: Any) -> str:
    """A pattern of the words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_ACCENTS: Final[dict[str, str]] = WORDS["accents"]
_BARE: Final = re.compile(rf"\b({any_of(_ACCENTS)})\b")
_NUMBERS: Final[dict[str, int]] = WORDS["numbers"]
_COUNTED: Final = any_of(WORDS["counted"])
_NUMBER_WORD: Final = re.compile(rf"(?<!thứ )(?<!mười )(?<!mươi )\b({any_of(_NUMBERS)}) (?=(?:{_COUNTED})\b)")
_ONE: Final = r"\d{1,3}(?:[.,]\d{1,2})?(?: ?/ ?\d{1,2})?"
_MEASURED: Final = any_of([*WORDS["counted"], "ml", "mg", "g", "h", "đơn vị", "iu", "ui", "cc"])
_RANGE: Final = re.compile(
    rf"(?<![\d/.,-])(?<!thứ )(?:{_ONE}|nửa) ?(?:-|–|~|đến|tới|hoặc) ?{_ONE} ?(?=({_MEASURED})\b)"
)
_OFTEN: Final = frozenset({"lần", "giờ", "h", "tiếng"})
_LENGTHS: Final = frozenset({"ngày", "tuần", "tháng", "phút", "buổi"})
_SHORT: Final = (
    (re.compile(r"(\d) ?(?:l|lan|lân) ?/ ?(?:ng|n|ngày|ngay)\b"), r"\1 lần/ngày"),
    (re.compile(r"(\d) ?v\b(?!\w)"), r"\1 viên"),
    (re.compile(r"/ ?(?:ng|n)\b(?! ?\w)"), "/ngày"),
)
_EVENING_SLEEP: Final = re.compile(r"\btối,? ?(?=\(?(?:vào )?(?:lúc |trước )(?:khi |lúc |giờ )?(?:đi )?ngủ)")
_PREPARE: Final = re.compile(r"\b(pha|hòa|hoà|khuấy|lắc|nghiền|bẻ|nhai)\b([^,.;]{0,60}?) rồi\b")
# "For five days, then stop" is a course of five days.
_THEN_STOP: Final = re.compile(
    r"(?<=ngày)[,;]? (?:sau đó|rồi|thì) (?:ngưng|ngừng|dừng|thôi)(?: thuốc| uống| dùng)?$"
)
_ELSE: Final = re.compile(any_of(WORDS["means_else"]))
_HARMLESS: Final = re.compile(rf"(?<!\w)(?:{'|'.join(WORDS['harmless'])})(?!\w)")
_MOST: Final = re.compile(any_of(WORDS["at_most"]))
_LEAST: Final = re.compile(any_of(WORDS["at_least"]))
_FRACTIONS: Final = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
_FRACTION: Final = re.compile(rf"(?:(\d) ?)?([{''.join(_FRACTIONS)}])")
_PLUS_FRACTION: Final = re.compile(r"(?<![\d/.,])(\d{1,2}) ?\+ ?(\d ?/ ?\d)(?!\d)")
_AND_A_HALF: Final = re.compile(rf"(?<![\d/.,])(\d{{1,2}}) ?({any_of(WORDS['units'])}) rưỡi\b")
# What stands for words that must not be taken for others: no reader of amounts or days knows these signs.
RANGE, MOST, LEAST, UNREAD = "…", "≤", "≥", "¤"


class Plain(Struct, frozen=True):
    """A text in one spelling. is_range: it says how often as a range (`2-3 lần`), which is no rhythm.
    is_amount_range: it says how much as a range (`1-2 viên`). has_most: it says an amount at most. What was
    taken out as a range, as something at most or at least, or as words that only look like times, left its
    sign; harmless advice left a comma."""

    text: str
    is_range: bool
    has_most: bool
    is_amount_range: bool


def plain(text: str) -> Plain:
    """More than LIEU_DUNG can hold is cut."""
    text = _typed(text)
    if text.isascii():
        text = _BARE.sub(lambda found: _ACCENTS[found.group(1)], text)
    for pattern, full in _SHORT:
        text = pattern.sub(full, text)
    text = _NUMBER_WORD.sub(lambda found: f"{_NUMBERS[found.group(1)]} ", text)
    text = _AND_A_HALF.sub(r"\1,5 \2", text)
    # "In the evening, before sleep" is one time.
    text = _PREPARE.sub(r"\1\2 ,", _EVENING_SLEEP.sub("", text))
    text = _HARMLESS.sub(" , ", text)
    text = _ELSE.sub(UNREAD, _LEAST.sub(LEAST, _MOST.sub(MOST, text)))
    text = _THEN_STOP.sub("", text)
    counted = {found.group(1) for found in _RANGE.finditer(text)}
    text, has_most = _RANGE.sub(f"{RANGE} ", text).strip(" .;,"), MOST in text
    return Plain(text, bool(counted & _OFTEN), has_most, bool(counted - _OFTEN - _LENGTHS))


def _typed(text: str) -> str:
    """Case, tones, blanks, entities and the signs of fractions; a new line is a new clause."""
    text = unicodedata.normalize("NFC", html.unescape(text[:TEXT_CHARACTERS_MAX])).lower()
    text = " ".join(text.replace("µ", "μ").replace("\n", " , ").split()).strip(" .;,")
    text = _FRACTION.sub(lambda found: f"{found.group(1) or ''} {_FRACTIONS[found.group(2)]}".strip(), text)
    return _PLUS_FRACTION.sub(r"\1 \2", text)
