"""What the receiver does with a hand-over: signature, every file, every archive opened, the log's roots."""

import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from audit.roots.models import AuditRoots
from audit.roots.verify import check_roots
from healthbook.handover.layout import (
    OTHERS,
    PEOPLE,
    PUBLIC,
    RECEIPT,
    ROWS,
    TABLES,
    HandedFile,
    HandOver,
    HandOverError,
    listed,
    listed_apart,
    read_signed,
    receipt_of,
    refuse_missing,
)
from store.sealing import SealError, read_identities, unseal


class Checked(Struct, frozen=True):
    """thumbprint: of the key that signed (RFC 7638). roots: how many were verified. receipt: for the sender,
    who cannot tell it."""

    said: HandOver
    thumbprint: str
    roots: int
    receipt: str


class _Found:
    """What was counted in the opened files."""

    def __init__(self) -> None:
        self.rows, self.archives = Counter[str](), Counter[str]()
        self.blobs, self.roots, self.secret = 0, 0, b""

    def take(self, name: str, clear: bytes) -> None:
        place = name.partition("/")[0]
        if place in (PEOPLE, OTHERS) and name.endswith(f"/{ROWS}.age"):
            self.archives[place] += 1
            self.rows.update(_rows_in(clear))
        elif place in (PEOPLE, OTHERS):
            self.blobs += 1
        elif name.startswith(TABLES):
            self.rows[name.split("/")[1]] += clear.count(b"\n")
        elif name == PUBLIC:
            self.roots = _check_roots(clear)
        elif name == RECEIPT:
            self.secret = clear


def check(directory: Path, identity: Path, told: Callable[[int], None]) -> Checked:
    """Everything that was signed is here, opens with this identity, and is what was sealed.

    told: how many files are done since the last call. Raises HandOverError with the first thing that is not.
    """
    said, thumbprint = read_signed(directory)
    try:
        identities = read_identities(identity)
    except (OSError, SealError) as error:
        raise HandOverError(f"The identity cannot be used: {error}.") from error
    found, opened = _Found(), list[bytes]()
    for files in listed_apart(directory, said):
        digest = hashlib.sha256()
        for one in files:
            clear = _opened(directory, one, identities)
            digest.update(hashlib.sha256(clear).digest())
            found.take(one.name, clear)
            told(1)
        opened.append(digest.digest())
    rows = {table: count for table, count in found.rows.items() if count}
    archives = (found.archives[PEOPLE], found.archives[OTHERS])
    if (rows, archives, found.blobs) != (said.rows, (said.people, said.others), said.blobs):
        raise HandOverError(f"What is inside differs from what is signed: {_first_difference(rows, said)}.")
    refuse_missing(said.held, rows, said.left_out)
    if not found.secret:
        raise HandOverError(f"{RECEIPT} is not among what is signed.")
    return Checked(said, thumbprint, found.roots, receipt_of(directory, found.secret, opened))


def count_files(directory: Path) -> int:
    """For a bar of progress. Raises HandOverError."""
    return read_signed(directory)[0].files


def refuse_changed(directory: Path, told: Callable[[int], None]) -> None:
    """Raises HandOverError where a sealed file is missing or changed: the sender, too, can check that."""
    said, _ = read_signed(directory)
    for one in listed(directory, said):
        _sealed(directory, one)
        told(1)


def _opened(directory: Path, one: HandedFile, identities: list[Any]) -> bytes:
    sealed = _sealed(directory, one)
    try:
        return unseal(sealed, identities)
    except SealError as error:
        raise HandOverError(f"{one.name}: {error}.") from error


def _sealed(directory: Path, one: HandedFile) -> bytes:
    try:
        sealed = (directory / one.name).read_bytes()
    except OSError as error:
        raise HandOverError(f"{one.name} is missing.") from error
    if len(sealed) != one.length or hashlib.sha256(sealed).hexdigest() != one.sha256:
        raise HandOverError(f"{one.name} was changed.")
    return sealed


def _rows_in(archive: bytes) -> Counter[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return Counter(
            {name.removesuffix(".ndjson"): opened.read(name).count(b"\n") for name in opened.namelist()}
        )


def _check_roots(archive: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        names = [name for name in opened.namelist() if name.startswith("roots/")]
        pages = [msgspec.json.decode(opened.read(name), type=AuditRoots) for name in sorted(names)]
    if (broken := check_roots(pages, None)) is not None:
        raise HandOverError(f"The roots of the access log do not hold: {broken.reason} at {broken.at}.")
    return sum(len(page.roots) for page in pages)


def _first_difference(found: dict[str, int], said: HandOver) -> str:
    for table in sorted({*found, *said.rows}):
        if found.get(table, 0) != said.rows.get(table, 0):
            return f"{table} has {found.get(table, 0)} rows, {said.rows.get(table, 0)} are signed"
    return "the number of people or files"
