"""Frames on the signer's socket: four bytes of length and one msgpack message."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FRAME_MAX: Final = 100_000
_PATH_MAX: Final = 100


class FrameError(Exception):
    """Not one whole frame within the limit."""


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """The next frame. Raises FrameError."""
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > FRAME_MAX:
            raise FrameError("too large")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise FrameError("cut off") from error


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@contextmanager
def reachable(socket: Path) -> Iterator[str]:
    """A name of the socket that fits: the kernel takes 107 bytes, however deep the data lies."""
    if len(os.fsencode(socket)) <= _PATH_MAX:
        yield str(socket)
        return
    directory = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{socket.name}"
    finally:
        os.close(directory)
