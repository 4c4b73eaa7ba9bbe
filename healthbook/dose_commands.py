"""`healthbook import doses` with an open store: files of the national immunisation and COVID systems."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from uuid import UUID

import msgspec

from ehr.intake.models import BadInputError
from healthbook.commands import Signed, write_down
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.database import Store
from vaccination.first_fill.cleaning import write_cleaning_list, write_row_list
from vaccination.first_fill.fields import read_fields
from vaccination.first_fill.keeping import forget_some
from vaccination.first_fill.models import Summary
from vaccination.first_fill.service import Fill, OvertakenError

Say = Callable[[str], None]


class Lists(msgspec.Struct, frozen=True):
    """Where the tables go: what the sender should mend, and what became of every row of which anything is to
    be said."""

    cleaning: Path | None = None
    rows: Path | None = None


async def import_doses(
    store: Store,
    path: Path,
    system: str,
    fields: Path | None,
    lists: Lists,
    *,
    dry_run: bool,
    again: bool,
    signed: Signed,
    say: Say,
) -> Summary:
    """Take a dose file in, or go on where it stopped; write its lists. A dry run leaves nothing behind."""
    try:
        fill = Fill(
            store,
            SystemClock(),
            path,
            system,
            read_fields(fields),
            operator=signed[0],
            dry_run=dry_run,
            progress=_told(say),
        )
        if not dry_run:
            await write_down(store, signed, f"doses:import-begin:{system}", 1)
            if again:
                await _forget(store, fill.file_id)
        summary = await fill.run()
    except BadInputError as error:
        told = ", ".join(f"{reason.code} ({reason.where})" for reason in error.reasons[:10])
        raise StartError(f"{path.name}: {told}. Nothing was taken in.") from error
    except OvertakenError as error:
        raise StartError(f"{path.name}: another run takes this file in at the moment.") from error
    if not dry_run:
        await write_down(store, signed, f"doses:import:{system}", summary.rows_now)
    await _write_lists(fill, lists, say)
    return summary


async def _forget(store: Store, file_id: UUID) -> None:
    is_more = True
    while is_more:
        async with store.transaction() as tx:
            is_more = await forget_some(tx, file_id)


async def _write_lists(fill: Fill, lists: Lists, say: Say) -> None:
    for path, write in ((lists.cleaning, write_cleaning_list), (lists.rows, write_row_list)):
        if path is not None:
            with path.open("wb") as out:
                lines = await write(fill, out)
            say(f"{path.name}: {lines} lines")


def _told(say: Say, seconds: Callable[[], float] = monotonic) -> Callable[[int, float], None]:
    """Tells how far the file is, at first and then at most once a second."""
    told = seconds() - 1

    def tell(rows: int, part: float) -> None:
        nonlocal told
        if seconds() - told >= 1:
            told = seconds()
            say(f"row {rows}, {part:.0%} of the file")

    return tell


def was_all_refused(summary: Summary) -> bool:
    return summary.refused > 0 and not (summary.imported or summary.quarantined)


def as_json(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"
