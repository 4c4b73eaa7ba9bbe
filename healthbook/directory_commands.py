"""`healthbook admin facilities` and `admin places` with an open store (security.md S26)."""

import os
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec
from asyncpg import UniqueViolationError
from msgspec import Struct, field

from documents.csv import append_to, write_to
from healthbook.commands import Signed, sign_act
from healthbook.wiring import StartError
from identity.facility_admin.activation import issue
from identity.facility_admin.models import FacilityCode
from identity.register.facilities import add_facility, facility_by_code
from kernel.clock import SystemClock, local_day
from store.database import Store, Tx
from visits.directory.reading import BadFileError, ReadLine, WrongLine, read_lines, wrong_line
from visits.directory.service import set_details
from visits.places.reading import BadLine, read_places
from visits.places.service import keep

Say = Callable[[str], None]
AT_ONCE: Final = 200  # facilities per transaction
SHEET_COLUMNS: Final = ("code", "name", "activation_code", "expires_at")


class FacilityReport(Struct, kw_only=True):
    """known: a facility with this code is there and was left as it is."""

    lines: int = 0
    made: int = 0
    known: int = 0
    refused: list[WrongLine] = field(default_factory=list)


class PlaceReport(Struct, kw_only=True):
    """refused: nothing was taken in where a line is in it."""

    units: int
    refused: list[BadLine]


class _DryRunError(Exception):
    """Rolls back what was only tried."""


class Run(Struct, frozen=True, kw_only=True):
    """sheets: where the codes go, once; `admin facilities print` sets them as slips (code_slips.py)."""

    signed: Signed
    sheets: Path | None = None
    dry_run: bool = False


async def import_facilities(store: Store, path: Path, run: Run, say: Say) -> FacilityReport:
    """Make the facilities of a file, each with a code for its first administrator.

    The codes of a step are on the disk before the step is kept: a run that was killed has printed codes
    that open nothing, never made facilities whose codes nobody has. The same file again goes on.
    """
    report, started, seen = FacilityReport(), SystemClock().now(), set[str]()
    if run.sheets is not None:
        with run.sheets.open("xb") as out:
            write_to(out, [SHEET_COLUMNS])
    try:
        lines = read_lines(path)
        tell = _told(say)
        while step := list(islice(lines, AT_ONCE)):
            once = [_once(line, seen) for line in step]
            await _step(store, run, once, report, started)
            tell(f"line {report.lines + 1}: {report.made} made, {report.known} known")
    except BadFileError as error:
        raise StartError(f"{path.name}: {error}.") from error
    return report


def _once(line: ReadLine | WrongLine, seen: set[str]) -> ReadLine | WrongLine:
    """A code that stands in the file twice is refused the second time, in a dry run too."""
    if isinstance(line, WrongLine):
        return line
    codes = {line.facility.code, line.facility.code_13} - {None}
    if codes & seen:
        return wrong_line(line.line, line.facility.code, "code", "twice-in-file")
    seen |= {code for code in codes if code is not None}
    return line


async def _step(
    store: Store, run: Run, step: list[ReadLine | WrongLine], report: FacilityReport, now: datetime
) -> None:
    """Its facilities, their codes on the disk and the row of the act: all of it or nothing."""
    try:
        async with store.transaction() as tx:
            made = [one for line in step if (one := await _one(tx, line, report, now)) is not None]
            if run.dry_run:
                raise _DryRunError
            if run.sheets is not None:
                _print_codes(run.sheets, made)
            if made:
                await sign_act(tx, run.signed, "facilities:import", len(made))
    except _DryRunError:
        pass


async def _one(
    tx: Tx, line: ReadLine | WrongLine, report: FacilityReport, now: datetime
) -> tuple[ReadLine, FacilityCode] | None:
    report.lines += 1
    if isinstance(line, WrongLine):
        report.refused.append(line)
        return None
    if await facility_by_code(tx, line.facility.code, local_day(now)) is not None:
        report.known += 1
        return None
    other = line.facility.code_13
    if other is not None and await facility_by_code(tx, other, local_day(now)) is not None:
        report.refused.append(wrong_line(line.line, line.facility.code, "code_13", "code-in-use"))
        return None
    made = await _make(tx, line, now)
    if isinstance(made, WrongLine):
        report.refused.append(made)
        return None
    report.made += 1
    return line, made


async def _make(tx: Tx, line: ReadLine, now: datetime) -> FacilityCode | WrongLine:
    """A line that is refused leaves nothing: its savepoint is rolled back."""
    try:
        async with tx.transaction():
            facility = await add_facility(tx, line.facility, now)
            refused = await set_details(tx, facility.facility_id, line.details, now)
            if refused is not None:
                raise _RefusedLineError(refused.where or "", refused.problem.code)
            return await issue(tx, facility.facility_id, now)
    except _RefusedLineError as error:
        return wrong_line(line.line, line.facility.code, *error.args)
    except UniqueViolationError:
        return wrong_line(line.line, line.facility.code, "code", "code-in-use")


class _RefusedLineError(Exception):
    """(column, what)."""


def _print_codes(sheets: Path, made: list[tuple[ReadLine, FacilityCode]]) -> None:
    with sheets.open("ab") as out:
        append_to(out, [_sheet_row(line, code) for line, code in made])
        out.flush()
        os.fsync(out.fileno())


def _sheet_row(line: ReadLine, code: FacilityCode) -> tuple[str, ...]:
    return (line.facility.code, line.facility.name, code.code, code.expires_at.isoformat())


async def new_activation(store: Store, code: str, signed: Signed) -> FacilityCode:
    """Another code for a facility's first administrator: the letter was lost, or nobody is left there."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        facility = await facility_by_code(tx, code, local_day(now))
        if facility is None:
            raise StartError(f"{code} is the code of no facility today.")
        made = await issue(tx, facility.facility_id, now)
        await sign_act(tx, signed, "facilities:activation", 1)
    return made


async def import_places(store: Store, path: Path, *, dry_run: bool, signed: Signed) -> PlaceReport:
    """Take in administrative units, all of the file or nothing."""
    read = read_places(path)
    report = PlaceReport(units=len(read.places), refused=read.bad)
    if read.bad or dry_run:
        return report
    async with store.transaction() as tx:
        await keep(tx, read.places)
        await sign_act(tx, signed, "places:import", len(read.places))
    return report


def as_json(report: FacilityReport | PlaceReport | FacilityCode) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def _told(say: Say, seconds: Callable[[], float] = monotonic) -> Callable[[str], None]:
    """Tells how far the file is, at most once a second."""
    told = seconds()

    def tell(text: str) -> None:
        nonlocal told
        if seconds() - told >= 1:
            told = seconds()
            say(text)

    return tell
