"""Strict JSON: duplicate keys, NaN, lone surrogates, NUL, deep nesting and exponents beyond ±400 are refused
(RFC 8259, I-JSON).

Ten letters such as `1e1000000` unpack to a megabyte of digits wherever a number is read exactly, PostgreSQL's
jsonb among them; no measurement needs them, and a double ends at 308.
"""

import json
import re
from typing import Any, Final, NoReturn

import msgspec

from ehr.intake.models import reject

DEPTH_MAX = 48
# What stands behind a digit and is beyond ±400, and a whole text, in which it means nothing.
_FAR_EXPONENT: Final = re.compile(rb"[0-9][eE][+-]?0*(?:[1-9][0-9]{3}|[5-9][0-9]{2}|4(?:0[1-9]|[1-9][0-9]))")
_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"')


class _DuplicateKeyError(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _DuplicateKeyError
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def compact_object(raw: bytes, where: str) -> bytes:
    """The JSON object in `raw` without white space. Raises as read_object does."""
    return read_object(raw, where)[0]


def read_object(raw: bytes, where: str) -> tuple[bytes, dict[str, Any]]:
    """The JSON object in `raw` without white space, and its value. Raises BadInputError with `where` and
    one of: bad-json, duplicate-key, too-deep, bad-text, bad-type, bad-number."""
    if b"\\u" in raw:
        _refuse_bad_escapes(raw.decode(), where)
    try:
        short = msgspec.json.format(raw, indent=-1)
    except (msgspec.MsgspecError, RecursionError):
        _load_slowly(raw.decode(), where)
        raise reject("too-deep", where) from None
    value = _load_quickly(short, where)
    return short, _load_slowly(raw.decode(), where) if value is None else value


def _load_quickly(short: bytes, where: str) -> dict[str, Any] | None:
    """The value; None where it is no object or may have lost a key, which the slow way tells.

    Where writing the value again gives the same bytes, nothing was lost and no number is out of range;
    where it gives as many keys, none was lost. Without escapes `":` stands behind keys and at the start of
    texts alone, so losing a pair loses at least one.
    """
    try:
        value = _decode(short)
        again = _encode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        value, again = None, b""
    if again != short:
        _refuse_far_exponents(short, where)
    same = again == short or (b"\\" not in short and again.count(b'":') == short.count(b'":'))
    return value if same and isinstance(value, dict) else None


def _refuse_far_exponents(short: bytes, where: str) -> None:
    if _FAR_EXPONENT.search(short) and _FAR_EXPONENT.search(_TEXTS.sub(b'""', short)):
        raise reject("bad-number", where)


def _load_slowly(text: str, where: str) -> dict[str, Any]:
    """The value, or the reason why `text` cannot be taken; big numbers are no such reason."""
    try:
        value = _DECODER.decode(text)
    except _DuplicateKeyError:
        raise reject("duplicate-key", where) from None
    except RecursionError:
        raise reject("too-deep", where) from None
    except ValueError:
        raise reject("bad-json", where) from None
    if not isinstance(value, dict):
        raise reject("bad-type", where)
    return value


def decode_utf8(raw: bytes, where: str) -> str:
    """The text of `raw` without its BOM. Raises BadInputError `bad-encoding`."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise reject("bad-encoding", where) from None


def _refuse_bad_escapes(text: str, where: str) -> None:
    """PostgreSQL text holds neither NUL nor half a surrogate pair."""
    lowered = text.lower()
    if "\\u0000" in lowered:
        raise reject("bad-text", where)
    if "\\ud" in lowered:
        try:
            json.dumps(json.loads(text), ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise reject("bad-text", where) from None
