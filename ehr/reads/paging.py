"""Keyset pages over (sort_at, id): stable under inserts, newest first, undated last."""

from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import refuse


class Placed(Protocol):
    """A row that a page can start behind."""

    @property
    def sort_at(self) -> datetime: ...

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Placed)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BEFORE_ALL = (datetime(9999, 12, 1, tzinfo=UTC), "")


def position(cursor: str | None) -> tuple[datetime, str]:
    """Where a page starts. Raises `bad-cursor`."""
    if cursor is None:
        return _BEFORE_ALL
    microseconds, ident = decode_cursor(cursor, tuple[int, str])
    try:
        return _EPOCH + microseconds * _MICROSECOND, ident
    except OverflowError:
        refuse(BAD_CURSOR, "cursor")


def page_size(limit: int | None, default: int = PAGE_DEFAULT) -> int:
    return min(limit or default, PAGE_MAX)


def cut(rows: list[Row], limit: int) -> tuple[list[Row], str | None]:
    """The rows of this page, and the cursor of the next where one more row was found."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], encode_cursor((last.sort_at - _EPOCH) // _MICROSECOND, last.id)
