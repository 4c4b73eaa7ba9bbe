"""`healthbook population load` with an open store (security.md S26)."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from documents.csv import append_to, write_to
from healthbook.commands import Signed, write_down
from healthbook.wiring import StartError
from identity.population.models import ListKind, Summary
from identity.population.reading import BadFileError
from identity.population.service import OvertakenError, PopulationLoad, StuckError
from kernel.clock import SystemClock
from store.database import Store

Say = Callable[[str], None]
_BAR: Final = 30
LINE_COLUMNS: Final = ("line", "status", "reason", "field")


async def load_list(
    store: Store,
    path: Path,
    kind: ListKind,
    lines: Path | None,
    *,
    dry_run: bool,
    signed: Signed,
    say: Say,
) -> Summary:
    """Take a list in, or go on where it stopped; write its lines. A dry run leaves nothing behind."""
    progress = bar(say)
    load = PopulationLoad(
        store, SystemClock(), path, kind, operator=signed[0], dry_run=dry_run, progress=progress
    )
    if not dry_run:
        await write_down(store, signed, f"population:load-begin:{kind}", 1)
    try:
        summary = await load.run()
    except BadFileError as error:
        raise StartError(f"{path.name}: {error}. Nothing was taken in.") from error
    except OvertakenError as error:
        raise StartError(f"{path.name}: another run takes this list in at the moment.") from error
    except StuckError as error:
        raise StartError(
            f"{path.name}: {error} ({type(error.__cause__).__name__}). What stands before it is in; the same"
            " command goes on there."
        ) from error
    if not dry_run:
        await write_down(store, signed, f"population:load:{kind}", summary.lines_now)
    if lines is not None:
        count = await _write_lines(load, lines)
        say(f"{lines.name}: {count} lines")
    return summary


async def _write_lines(load: PopulationLoad, path: Path) -> int:
    """A row for each reason of each line; no value of a line stands in it."""
    count = 0
    with path.open("xb") as out:
        write_to(out, [LINE_COLUMNS])
        async for line, status, reasons in load.lines():
            append_to(out, [(line, status, reason.code, reason.field) for reason in reasons])
            count += 1
    return count


def bar(say: Say, seconds: Callable[[], float] = monotonic) -> Callable[[int, float], None]:
    """Draws how far the list is, at first, at its end and at most once a second between."""
    told = seconds() - 1

    def tell(lines: int, part: float) -> None:
        nonlocal told
        if seconds() - told >= 1 or part >= 1:
            told = seconds()
            full = round(min(part, 1) * _BAR)
            say(f"[{'#' * full}{'.' * (_BAR - full)}] {min(part, 1):4.0%}  line {lines}")

    return tell


def was_all_refused(summary: Summary) -> bool:
    return summary.refused > 0 and summary.refused == summary.lines


def as_json(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"
