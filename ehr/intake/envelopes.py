"""What of a referral letter's envelope stands outside the record: only what its row says after the gate.

Both facilities' lists hold it in clear, so it tells neither what somebody has nor who it is (security.md S17,
S19).
"""

import re
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ehr.intake.gate import judge_plain
from ehr.intake.nameless import Own
from ehr.referrals.models import Letter
from kernel.text import fold

_SIGNS: Final = re.compile(r"[\W_]+")


class _Identifier(Struct):
    value: str = ""


class _Performer(Struct):
    identifier: _Identifier = msgspec.field(default_factory=_Identifier)


class _Request(Struct):
    identifier: list[_Identifier] = []
    performer: list[_Performer] = []


_request = msgspec.json.Decoder(_Request)


def tell_nothing(letter: Letter, doc: str, own: Own) -> Letter:
    """The letter with its number and its receiver's code empty where the row as it is kept does not say them,
    the gate stops them by themselves, or they name the person. doc: what is kept of its row."""
    kept = _request.decode(doc)
    numbers = {one.value for one in kept.identifier}
    codes = {one.identifier.value for one in kept.performer}
    return replace(
        letter,
        number=letter.number if letter.number in numbers and _is_plain(letter.number, own) else "",
        receiver_code=letter.receiver_code
        if letter.receiver_code in codes and _is_plain(letter.receiver_code, own)
        else "",
    )


def _is_plain(text: str, own: Own) -> bool:
    if judge_plain(text) != "keep":
        return False
    bare, names = _bare(text), [_bare(own.name), *(_bare(number) for number, _ in own.numbers)]
    return not any(name in bare for name in names if name)


def _bare(text: str) -> str:
    return _SIGNS.sub("", fold(text))
