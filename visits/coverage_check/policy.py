"""What a result code means. Pure."""

import re
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from visits.coverage_check.models import Meaning

# The gateway's codes go from 000 to 205 (vietnam.md §2).
CODE_MAX: Final = 205
_CODE: Final = re.compile(r"[0-9]{3}")


class _Codes(Struct):
    named: dict[str, Meaning]
    other: Meaning
    none: Meaning


_CODES: Final = msgspec.json.decode(files(__package__).joinpath("codes.json").read_bytes(), type=_Codes)


def is_code(text: object) -> bool:
    """Whether the gateway could have answered this."""
    return isinstance(text, str) and _CODE.fullmatch(text) is not None and int(text) <= CODE_MAX


def meaning_of(code: str | None) -> Meaning:
    """The sentences of a code; of one without a confirmed meaning they show the code; None: no answer."""
    if code is None:
        return _CODES.none
    found = _CODES.named.get(code)
    if found is not None:
        return found
    told = {name: text.format(code=code) for name, text in msgspec.structs.asdict(_CODES.other).items()}
    return replace(_CODES.other, **told)
