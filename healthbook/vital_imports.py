"""`healthbook vitals import` with an open store: a file on an operator's disk."""

import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final
from uuid import UUID

import msgspec

from documents import csv
from healthbook.commands import Signed, write_down
from healthbook.wiring import StartError
from identity.people import exists
from kernel.clock import SystemClock
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from vitals.files import service
from vitals.files.models import ImportRow, ImportShown
from vitals.files.running import Limits, Note, OvertakenError, Run
from vitals.files.texts import CODES

Say = Callable[[str], None]
_PART: Final = 256 * 1024


async def import_vitals(
    store: Store,
    path: Path,
    patient_id: UUID,
    zone: int | None,
    refused: Path | None,
    *,
    series_days: int,
    dry_run: bool,
    signed: Signed,
    say: Say,
) -> ImportShown:
    """Take a file in, or go on where it stopped. refused: where to list what was not taken. A dry run leaves
    nothing behind. Raises StartError."""
    clock = SystemClock()
    sha256, length = _digest(path)
    row = await _begin(store, patient_id, zone, sha256, length, clock.now(), dry_run=dry_run, signed=signed)
    with _noting(refused) as note:
        run = Run(store, clock, row, Limits(series_days), note=note, dry_run=dry_run)
        try:
            async with aclosing(_parts(path, length, run, say)) as parts:
                await run.read(parts)
        except OvertakenError as error:
            raise StartError(f"{path.name}: another run reads it, or it was withdrawn.") from error
    if not dry_run:
        await write_down(store, signed, f"vitals:import:{run.row.form}", run.row.stored)
    return service.shown(run.row)


async def _begin(
    store: Store,
    patient_id: UUID,
    zone: int | None,
    sha256: bytes,
    length: int,
    now: datetime,
    *,
    dry_run: bool,
    signed: Signed,
) -> ImportRow:
    async with store.transaction() as tx:
        if not await exists(tx, patient_id):
            raise StartError(f"{patient_id} is nobody.")
        if dry_run:
            return ImportRow(
                patient_id=patient_id,
                import_id=uuid7(now),
                added_by=None,
                added_at=now,
                sha256=sha256,
                length=length,
                zone=zone,
                blob_id=None,
                state="waiting",
            )
        row = await service.begin_by_operator(tx, patient_id, signed[0], sha256, length, zone, now)
    if isinstance(row, Refused):
        raise StartError(f"{row.problem.en} {row.problem.next_en}")
    await write_down(store, signed, "vitals:import-begin", 1)
    return row


def _digest(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest(), path.stat().st_size


async def _parts(path: Path, length: int, run: Run, say: Say) -> AsyncGenerator[bytes, None]:
    told, done = monotonic(), 0
    with path.open("rb") as file:
        while part := file.read(_PART):
            yield part
            done += len(part)
            if monotonic() - told >= 1:
                told = monotonic()
                say(f"item {run.row.items}, {done / max(1, length):.0%} of the file")


@contextmanager
def _noting(path: Path | None) -> Iterator[Note]:
    """A line for each item that is not taken, with the reason in words."""
    if path is None:
        yield lambda _: None
        return
    with path.open("xb") as out:
        csv.write_to(out, [("place", "what", "code", "reason_vi", "reason_en")])
        yield lambda one: csv.append_to(out, [(one.place, one.what, one.code, *CODES[one.code])])


def was_refused(made: ImportShown) -> bool:
    """Whether the file was not read to its end, or nothing of it was taken."""
    return made.fault is not None or not made.stored + made.updated + made.duplicate + made.deleted


def as_json(made: ImportShown) -> bytes:
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"
