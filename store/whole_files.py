"""Files that are on the disk before they have their name: whole or not at all, whenever the power goes."""

import os
import secrets
from pathlib import Path
from typing import Final

# What is being written, beside what it becomes; a kill leaves it there.
PARTIAL: Final = ".part"


def write_whole(path: Path, data: bytes, *, synced: bool = True) -> None:
    """Written beside, synced, then renamed: nobody finds half of it, and of two at once one stays. Raises
    OSError.

    synced: False where nothing is lost with it, or where a list that is written later waits for the disk.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            if synced:
                os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    if synced:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """The names in it, on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
