"""The lines and JSON values of a long stream one by one; no more than a piece of it is held."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any, Final

LINE_BYTES_MAX: Final = 64 * 1024
_PIECE: Final = 1024 * 1024
_VALUE_MAX: Final = 2 * _PIECE
_SPACE: Final = re.compile(r"[ \t\r\n]*")


def lines(stream: IO[bytes]) -> Iterator[str | None]:
    """Lines with their ends; None for one that is too long, of which the rest is passed over.

    Bytes that are no UTF-8 become lone surrogates.
    """
    while line := stream.readline(LINE_BYTES_MAX):
        if len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
            while (rest := stream.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
                pass
            yield None
        else:
            yield line.decode("utf-8", "surrogateescape")


class Repeated(dict[str, Any]):
    """An object that names a field twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Repeated(made)


def _no_constant(name: str) -> str:
    raise ValueError(name)


# Numbers stay as they are written: a number of twelve digits may begin with 0 in quotes alone, and no other
# is worth converting.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=str, parse_float=str, parse_constant=_no_constant
)


class JsonWindow:
    """The text of a stream from the place that is read; what lies behind is let go."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = codecs.getreader("utf-8-sig")(stream, "surrogateescape")
        self._text, self._at, self._is_over = "", 0, False

    def peek(self) -> str:
        """The next sign that is no white space; empty at the end."""
        while True:
            self._fill()
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or self._is_over:
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        self._at += 1

    def value(self) -> tuple[Any, int]:
        """The value that begins here and how many signs it has. Raises ValueError, RecursionError."""
        self._fill()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                # It may only be cut off: a row that is far too long is passed over like any other bad one.
                if self._is_over or len(self._text) - self._at > _VALUE_MAX:
                    raise
                self._fill(at_least=_VALUE_MAX)
            else:
                length, self._at = end - self._at, end
                return value, length

    def _fill(self, at_least: int = LINE_BYTES_MAX) -> None:
        """Another piece, where no more than so many signs are left."""
        if not self._is_over and len(self._text) - self._at <= at_least:
            more = self._stream.read(_PIECE, _PIECE)
            self._is_over = not more
            self._text, self._at = self._text[self._at :] + more, 0


class BrokenJsonError(Exception):
    """Behind what is no JSON nothing can be found again."""


def json_values(stream: IO[bytes], *, is_list: bool) -> Iterator[tuple[Any, int]]:
    """The members of a JSON array, or values one behind the other, each with its length. Raises
    BrokenJsonError."""
    window, is_first = JsonWindow(stream), True
    window.peek()
    if is_list:
        window.skip()
    while True:
        sign = window.peek()
        if is_list and sign == "]":
            window.skip()
            if window.peek():
                raise BrokenJsonError
            return
        if sign == "" and not is_list:
            return
        if is_list and not is_first:
            if sign != ",":
                raise BrokenJsonError
            window.skip()
            window.peek()
        is_first = False
        try:
            read = window.value()
        except (ValueError, RecursionError) as error:
            raise BrokenJsonError from error
        yield read
