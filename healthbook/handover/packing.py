"""Files of a hand-over: each sealed and whole, or not there."""

import asyncio
import hashlib
import io
import os
import zipfile
from pathlib import Path

from healthbook.handover.layout import LISTS, HandedFile, as_lines
from store import whole_files
from store.sealing import read_recipients, seal


class Packer:
    """Seals and writes files below one directory, each whole or not at all.

    opened: what the receiver finds in the files of this list, as `receipt_of` wants it.
    """

    def __init__(self, root: Path, recipients: list[str]) -> None:
        self._root, self._recipients = root, read_recipients(recipients)
        self.opened = hashlib.sha256()

    async def put(self, name: str, clear: bytes) -> HandedFile:
        """name: without `.age`."""
        self.opened.update(hashlib.sha256(clear).digest())
        return await asyncio.to_thread(self._put, f"{name}.age", clear)

    def _put(self, name: str, clear: bytes) -> HandedFile:
        sealed = seal(clear, self._recipients)
        write_whole(self._root / name, sealed, synced=False)
        return HandedFile(name, len(sealed), hashlib.sha256(sealed).hexdigest())


def write_whole(path: Path, data: bytes, *, synced: bool = True) -> None:
    """As store/whole_files.py, in a directory that is made where it is missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole_files.write_whole(path, data, synced=synced)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def write_list(directory: Path, name: str, files: list[HandedFile]) -> None:
    os.sync()  # what a list names is on the disk: a run after a crash goes on behind it
    write_whole(directory / LISTS / name, as_lines(files))
