"""The export inside the archive that a phone makes, unpacked as its bytes come: nothing is kept whole.

Entries are read one after the other by their own heads (APPNOTE.TXT 4.3). A phone names files in its own
language, so the export is known by its root element. Other entries are unpacked into nothing, to find their
ends. How much may come out is bounded by how much went in; an archive in an archive is not opened.
"""

import zlib
from collections.abc import Iterator
from struct import Struct, unpack_from
from typing import Final

from vitals.imports.items import FileFaultError

MAGIC: Final = b"PK\x03\x04"
ROOT: Final = b"<HealthData"
# A document type stands before the root.
HEAD_MAX: Final = 256 * 1024
# Exports pack to a fifteenth up to a fortieth; deflate itself gets as far as to a thousandth, of nothings.
RATIO_MAX: Final = 60
RATIO_FREE: Final = 16 * 1024 * 1024
UNPACKED_MAX: Final = 16 * 1024**3
ENTRIES_MAX: Final = 100_000
OUT_MAX: Final = 256 * 1024
_RAW: Final = -15
_HEAD: Final = Struct("<4s5H3I2H")
_ENCRYPTED, _LATER = 1, 8
_STORED, _DEFLATED = 0, 8
_ENDS: Final = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08")
_DESCRIPTOR: Final = b"PK\x07\x08"
_DESCRIPTOR_MAX: Final = 24


class Unpacking:
    """Parts of an archive in, parts of its export out."""

    def __init__(self) -> None:
        self.was_found = False
        self._rest = b""
        self._packed = self._unpacked = self._entries = 0
        self._step = self._head
        self._is_over = False

    def feed(self, part: bytes) -> Iterator[bytes]:
        """Raises FileFaultError: archive-unreadable, archive-too-large."""
        if self._is_over:
            return
        self._rest += part
        self._packed += len(part)
        while not self._is_over and (out := self._step()) is not None:
            if out:
                yield out

    def close(self) -> None:
        """Raises FileFaultError where the archive ends too early or holds no export."""
        if not self._is_over:
            raise FileFaultError("file-broken", "zip")
        if not self.was_found:
            raise FileFaultError("archive-without-export")

    # Each step returns what comes out, b"" where that is nothing yet, None where it needs more bytes.

    def _head(self) -> bytes | None:
        if len(self._rest) < _HEAD.size and self._rest[:4] not in _ENDS:
            return None
        if self._rest[:4] in _ENDS:
            self._is_over = True
            return b""
        magic, _, flags, method, _, _, crc, size, _, name, extra = _HEAD.unpack_from(self._rest)
        if magic != MAGIC or flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
            raise FileFaultError("archive-unreadable", f"zip {method}")
        start = _HEAD.size + name + extra
        if len(self._rest) < start:
            return None
        self._entries += 1
        path = self._rest[_HEAD.size : _HEAD.size + name].lower()
        has_size = not flags & _LATER or path.endswith(b"/")
        if self._entries > ENTRIES_MAX or (method == _STORED and (not has_size or size == 0xFFFFFFFF)):
            raise FileFaultError("archive-unreadable", f"zip {method}")
        self._rest = self._rest[start:]
        self._begin(path, crc, is_later=bool(flags & _LATER))
        self._left = size
        self._step = self._inflate if method == _DEFLATED else self._copy
        return b""

    def _begin(self, path: bytes, crc: int, *, is_later: bool) -> None:
        self._inflater = zlib.decompressobj(_RAW)
        self._crc, self._wanted_crc, self._is_later = 0, crc, is_later
        self._held = b""
        # None: not known yet.
        self._is_export: bool | None = None if path.endswith(b".xml") and not self.was_found else False

    def _inflate(self) -> bytes | None:
        if not self._rest:
            return None
        try:
            out = self._inflater.decompress(self._rest, OUT_MAX)
        except zlib.error:
            raise FileFaultError("file-broken", "zip") from None
        is_end = self._inflater.eof
        self._rest = self._inflater.unused_data if is_end else self._inflater.unconsumed_tail
        return self._out(out, is_end=is_end)

    def _copy(self) -> bytes | None:
        if not self._rest and self._left:
            return None
        out, self._rest = self._rest[: self._left], self._rest[self._left :]
        self._left -= len(out)
        return self._out(out, is_end=not self._left)

    def _out(self, data: bytes, *, is_end: bool) -> bytes:
        self._unpacked += len(data)
        if self._unpacked > min(UNPACKED_MAX, RATIO_FREE + RATIO_MAX * self._packed):
            raise FileFaultError("archive-too-large")
        self._crc = zlib.crc32(data, self._crc)
        if is_end:
            self._step = self._descriptor if self._is_later else self._head
            if not self._is_later:
                self._check(self._wanted_crc)
        if self._is_export is None:
            self._held += data
            if ROOT in self._held:
                self._is_export = self.was_found = True
                data, self._held = self._held, b""
            elif len(self._held) > HEAD_MAX:
                self._is_export, self._held = False, b""
        return data if self._is_export else b""

    def _descriptor(self) -> bytes | None:
        """After an entry whose size was not known: its sum, in one of four lengths."""
        if not self._crc and self._rest[:4] in (MAGIC, *_ENDS):
            # Of a folder some write none.
            self._step = self._head
            return b""
        if len(self._rest) < _DESCRIPTOR_MAX + 4:
            return None
        starts = (12, 16, 20, 24) if self._rest[:4] != _DESCRIPTOR else (16, 24)
        for start in starts:
            if self._rest[start : start + 4] in (MAGIC, *_ENDS):
                self._check(unpack_from("<I", self._rest, 4 if len(starts) == 2 else 0)[0])
                self._rest = self._rest[start:]
                self._step = self._head
                return b""
        raise FileFaultError("file-broken", "zip")

    def _check(self, crc: int) -> None:
        if crc != self._crc:
            raise FileFaultError("file-broken", "zip crc")
