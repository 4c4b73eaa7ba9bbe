"""Acts that no restored backup may undo, in a journal outside the database (security.md S12).

What somebody took back, ended, hid or had erased: ids only. An act is an event
of the outbox; `number` puts it in the journal's order while the event is taken, `write_out` writes it to the
files. Each line holds the hash of the one before it.

A mark beside the files carries a beat that rises in the database first: whoever finds the mark ahead of the
database knows that the database was restored from a backup.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from store import queries
from store.database import Store, Tx
from store.models import JournalPosition, Recovery

JournalKind = Literal[
    "revoke",
    "device-kill",
    "block",
    "unblock",
    "link-kill",
    "link-lock",
    "contact-end",
    "wish-end",
    "purpose-refuse",
    "emergency-leave-out",
    "hide",
    "unhide",
    "visit-keep",
    "visit-show",
    "guardian-bar",
    "protect",
    "emergency-suspend",
    "client-end",
    "app-client-end",
    "app-end",
    "client-renew",
    "facility-code-use",
    "close",
    "erase",
    "erase-cancel",
    "epoch",
]
GENESIS: Final = bytes(32)
LINES_MAX: Final = 1000


class JournalError(Exception):
    """The journal cannot be written or read, or does not hold together."""


class Line(Struct, frozen=True, kw_only=True):
    """One act. ids: what it acted on, by name. prev: hexadecimal hash of the line before."""

    at: datetime
    ids: dict[str, str]
    kind: JournalKind
    patient_id: UUID
    prev: str
    seq: int


class Mark(Struct, frozen=True, kw_only=True):
    """How far the journal is and how often the database spoke."""

    beat: int
    seq: int


class JournalFiles(Protocol):
    """Where the journal lies: files that are written once, and one mark."""

    async def put(self, name: str, data: bytes) -> None:
        """Keep a file for good; the same file again is no error. Raises JournalError."""
        ...

    async def names(self) -> list[str]:
        """All files in order."""
        ...

    async def get(self, name: str) -> bytes:
        """One file. Raises JournalError."""
        ...

    async def set_mark(self, data: bytes) -> None: ...

    async def mark(self) -> bytes | None:
        """None before anything was written."""
        ...


async def number(tx: Tx, patient_id: UUID, kind: JournalKind, ids: dict[str, str], now: datetime) -> int:
    """Give an act its place. In the transaction that takes its event, so that it is there once or again."""
    before = await queries.NEXT_JOURNAL_SEQ.one(tx, GENESIS)
    assert before is not None
    line = Line(at=now, ids=ids, kind=kind, patient_id=patient_id, prev=before.h.hex(), seq=before.seq)
    text = _encode(line)
    await queries.SET_JOURNAL_HASH.run(tx, hashlib.sha256(text).digest())
    await queries.INSERT_JOURNAL_LINE.run(tx, line.seq, patient_id, text.decode())
    return line.seq


async def write_out(store: Store, files: JournalFiles) -> int:
    """Write what is numbered, then the mark. Returns how many lines went.

    Any number of workers may do so at once: a file has the same name and bytes whoever writes it.
    """
    async with store.transaction() as tx:
        position = await queries.BEAT.one(tx, GENESIS)
        lines = await queries.JOURNAL_LINES.all(tx, LINES_MAX)
    assert position is not None
    written = lines[-1].seq if lines else position.seq
    if lines:
        await files.put(_name(lines[0].seq, written), "".join(f"{one.line}\n" for one in lines).encode())
        async with store.transaction() as tx:
            await queries.DELETE_JOURNAL_LINES.run(tx, written)
    await _raise_mark(files, Mark(beat=position.beat, seq=written))
    return len(lines)


async def _raise_mark(files: JournalFiles, mark: Mark) -> None:
    """Of several writers the one that ends last may be the one that began first."""
    kept = await mark_of(files) or mark
    highest = Mark(beat=max(kept.beat, mark.beat), seq=max(kept.seq, mark.seq))
    await files.set_mark(msgspec.json.encode(highest))


async def is_waiting(tx: Tx) -> bool:
    """Whether a numbered line is not written out yet."""
    return bool(await queries.JOURNAL_LINES.all(tx, 1))


async def position_of(tx: Tx) -> JournalPosition:
    """How far this database is."""
    return await queries.JOURNAL_POSITION.one(tx) or JournalPosition(0, GENESIS, 0)


async def open_recovery(tx: Tx) -> Recovery | None:
    """The restore whose journal is not replayed to its end yet."""
    return await queries.OPEN_RECOVERY.one(tx)


async def begin_recovery(tx: Tx, epoch: int, next_seq: int, now: datetime) -> Recovery:
    """Nothing is served from here on until it is finished."""
    await queries.INSERT_RECOVERY.run(tx, epoch, now, next_seq)
    return Recovery(epoch, now, next_seq, 0)


async def note_replayed(tx: Tx, epoch: int, next_seq: int, lines: int) -> None:
    """How far the journal is replayed, in the transaction of the replayed acts."""
    await queries.ADVANCE_RECOVERY.run(tx, epoch, next_seq, lines)


async def finish_recovery(tx: Tx, epoch: int, seq: int, h: bytes, beat: int, now: datetime) -> None:
    """The database goes on where the journal ends. Lines that only the database has are written out later."""
    before = await position_of(tx)
    last, last_h = (seq, h) if seq >= before.seq else (before.seq, before.h)
    await queries.DELETE_JOURNAL_LINES.run(tx, seq)
    await queries.SET_JOURNAL_POSITION.run(tx, last, last_h, max(before.beat, beat))
    await number(tx, UUID(int=0), "epoch", {"number": str(epoch)}, now)
    await queries.FINISH_RECOVERY.run(tx, epoch, now)


async def is_written(tx: Tx, patient_id: UUID) -> bool:
    """Whether nothing of a person waits for the journal any more."""
    return await queries.UNWRITTEN_OF.one(tx, patient_id) is None


async def mark_of(files: JournalFiles) -> Mark | None:
    """The mark beside the files. Raises JournalError."""
    data = await files.mark()
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=Mark)
    except ValueError as error:
        raise JournalError("the journal's mark cannot be read") from error


def is_ahead(mark: Mark | None, position: JournalPosition) -> bool:
    """Whether the journal knows more than the database: it was restored from a backup. A journal that
    knows nothing, beside a database that wrote one, is another: what was done since may stand in the right
    one."""
    if mark is None:
        return position.seq > 0 or position.beat > 1
    return mark.seq > position.seq or mark.beat > position.beat


async def read_lines(
    files: JournalFiles, after: int, prev: bytes | None = None
) -> AsyncIterator[tuple[Line, bytes]]:
    """Every line after a number, once and in order, with its hash. Files that end before it are not read.

    prev: the hash of the line `after`, where the caller knows it. Raises JournalError where a line is missing
    or does not follow the one before it.
    """
    last, known = after, GENESIS if after == 0 else prev
    for name in await files.names():
        if _last_of(name) <= last:
            continue
        for text in (await files.get(name)).splitlines():
            line, h = _decode(text), hashlib.sha256(text).digest()
            if line.seq < last or (line.seq == last and last > after):
                continue
            if line.seq == after:
                _follow(line.seq, h, known)
                known = h
                continue
            if line.seq != last + 1:
                raise JournalError(f"line {last + 1} of the journal is missing")
            _follow(line.seq, bytes.fromhex(line.prev), known)
            last, known = line.seq, h
            yield line, h


def _follow(seq: int, found: bytes, known: bytes | None) -> None:
    if known is not None and found != known:
        raise JournalError(f"line {seq} of the journal was changed, or one before it")


def _encode(line: Line) -> bytes:
    return msgspec.json.encode(line, order="sorted")


def _decode(text: bytes) -> Line:
    try:
        return msgspec.json.decode(text, type=Line)
    except ValueError as error:
        raise JournalError("a line of the journal cannot be read") from error


def _name(first: int, last: int) -> str:
    return f"{first:016d}-{last:016d}.ndjson"


def _last_of(name: str) -> int:
    try:
        return int(name.partition(".")[0].partition("-")[2])
    except ValueError:
        raise JournalError(f"{name} is no file of a journal") from None
