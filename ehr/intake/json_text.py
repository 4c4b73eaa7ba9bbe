"""Strict JSON: duplicate keys, NaN, lone surrogates, NUL and deep nesting are refused (RFC 8259, I-JSON)."""

import json
from typing import Any, NoReturn

import msgspec

from ehr.intake.models import reject

DEPTH_MAX = 48


class _DuplicateKeyError(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _DuplicateKeyError
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def load_object(text: str, where: str) -> dict[str, Any]:
    """The JSON object in `text`. Raises BadInputError with `where` and one of: bad-json,
    duplicate-key, too-deep, bad-text, bad-type."""
    if "\\u" in text:
        _refuse_bad_escapes(text, where)
    value = _load_plain(text)
    if value is not None:
        return value
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


def _load_plain(text: str) -> dict[str, Any] | None:
    """The fast way: where writing the value again gives the same text, no key was lost."""
    try:
        value = msgspec.json.decode(text)
        same = msgspec.json.encode(value) == msgspec.json.format(text.encode(), indent=-1)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return value if same and isinstance(value, dict) else None


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
