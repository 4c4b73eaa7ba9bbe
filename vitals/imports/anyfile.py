"""A file of which nobody said what it is: its first bytes do."""

from collections.abc import Iterator
from typing import Final

from vitals.imports import archive, nightscout
from vitals.imports.apple import AppleHealth, PackedAppleHealth
from vitals.imports.documents import Documents
from vitals.imports.items import FileFaultError, Form, Read, Reader
from vitals.imports.table import Table, header_of

# A first line is no longer.
_HEAD: Final = 4096
_BOM: Final = b"\xef\xbb\xbf"


class AnyFile:
    """A reader (vitals/imports/items.py) of any of them. zone: of times that say none, minutes from UTC."""

    def __init__(self, zone: int | None = None) -> None:
        self._zone = zone
        self._head = b""
        self._reader: Reader | None = None

    @property
    def form(self) -> Form | None:
        """None: not known yet."""
        return None if self._reader is None else self._reader.form

    @property
    def left_out(self) -> int:
        return 0 if self._reader is None else self._reader.left_out

    def feed(self, part: bytes) -> Iterator[Read]:
        if self._reader is not None:
            return self._reader.feed(part)
        self._head += part
        if len(self._head) < _HEAD and not _has_line(self._head):
            return iter(())
        return self._begin().feed(self._head)

    def close(self) -> Iterator[Read]:
        if self._reader is None:
            yield from self._begin().feed(self._head)
        assert self._reader is not None
        yield from self._reader.close()

    def _begin(self) -> Reader:
        self._reader = reader_of(self._head, self._zone)
        return self._reader


def _has_line(head: bytes) -> bool:
    return b"\n" in head.removeprefix(_BOM).lstrip()


def reader_of(head: bytes, zone: int | None) -> Reader:
    """By the first line. Raises FileFaultError: form-unknown."""
    if head.startswith(archive.MAGIC):
        return PackedAppleHealth()
    start = head.removeprefix(_BOM).lstrip()
    if start.startswith(b"<"):
        return AppleHealth()
    if start.startswith((b"{", b"[")):
        return Documents()
    line = start.partition(b"\n")[0].decode(errors="replace")
    if nightscout.is_line(line):
        return nightscout.EntryLines()
    if header_of(line) is not None:
        return Table(zone)
    raise FileFaultError("form-unknown")
