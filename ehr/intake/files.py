"""Importing files and received bodies: what format it is, unit by unit, each in its own transaction."""

import asyncio
import gzip
import io
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import IO

from msgspec import Struct

from ehr.intake.fhir_bundle import BUNDLE_BYTES_MAX, read_bundle
from ehr.intake.gate import judge_plain
from ehr.intake.models import (
    BadInputError,
    BadUnit,
    FileReport,
    Reason,
    Report,
    Unit,
    UnitReport,
    reject,
)
from ehr.intake.service import Sender, import_unit
from ehr.intake.survey import Survey
from ehr.intake.treatment_xml import read_package
from ehr.intake.units import Prepared, prepare
from identity.models import Facility
from identity.problems import IDENTIFIER_TAKEN
from identity.register.facilities import facility_by_code
from kernel.clock import VIETNAM, Clock
from kernel.ids import uuid7
from kernel.problems import ProblemError
from store.database import Store

TRIES = 3
_GZIP = b"\x1f\x8b"
_SUFFIXES = (".json", ".json.gz", ".xml")

Progress = Callable[[str, UnitReport], None]


class ReadUnit(Struct):
    """A unit as read, with the survey of its items where the reader made one."""

    unit: Unit
    surveys: list[Survey] | None = None
    not_kept: dict[str, int] = {}


class _DryRunError(Exception):
    """Rolls a transaction back whose report is wanted."""


async def import_paths(
    store: Store,
    clock: Clock,
    paths: Iterable[Path],
    *,
    facility_code: str | None = None,
    dry_run: bool = False,
    credential: str = "operator",
    progress: Progress | None = None,
) -> Report:
    """Import files and folders for `healthbook import`. Without a facility code the sender is the one
    whose code a package carries; a Bundle then belongs to the operator's own source.

    Raises BadInputError `unknown-facility` for a code that no facility has today.
    """
    now = clock.now()
    given = await _facility(store, facility_code, now) if facility_code is not None else None
    importer = Importer(store, clock, given, credential, dry_run=dry_run, progress=progress)
    return Report([await importer.file(path) for path in _files(paths)])


class Importer:
    """One run of the import: one batch, one report."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        facility: Facility | None,
        credential: str,
        *,
        dry_run: bool = False,
        fixed: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.store, self.clock, self.facility = store, clock, facility
        self.credential, self.dry_run, self.progress = credential, dry_run, progress
        self.fixed = fixed or facility is not None
        self.batch = uuid7(clock.now())

    async def file(self, path: Path) -> FileReport:
        """Import one file; what cannot even be opened is a rejected unit of it."""
        report = FileReport(str(path), [])
        try:
            with path.open("rb") as stream:
                report.units = await self.stream(stream, path.name)
        except OSError:
            report.units.append(_rejected(path.name, [Reason("unreadable-file", path.name)]))
        return report

    async def stream(self, stream: IO[bytes], name: str, *, most: int | None = None) -> list[UnitReport]:
        """Import all units of one file or body, in its order; after `most` the rest is rejected unread."""
        reports: list[UnitReport] = []
        units = read_units(stream, name, self.clock.now())
        loop = asyncio.get_running_loop()
        # libxml2 keeps its names per thread: a file is read on one thread from its start to its end.
        with ThreadPoolExecutor(max_workers=1) as reader:
            try:
                while (unit := await loop.run_in_executor(reader, next, units, None)) is not None:
                    if most is not None and len(reports) >= most:
                        reports.append(_rejected(name, [Reason("too-large", name)]))
                        break
                    report = await self.unit(unit)
                    reports.append(report)
                    if self.progress is not None:
                        self.progress(name, report)
            finally:
                await loop.run_in_executor(reader, units.close)
        return reports

    async def unit(self, read: ReadUnit | BadUnit) -> UnitReport:
        """Import one unit in its own transaction."""
        if isinstance(read, BadUnit):
            return _rejected(read.name, read.reasons)
        try:
            facility = self.facility if self.fixed else await self._sender_of(read.unit)
            sender = Sender(facility, self.credential, self.batch)
            name = None if facility is None else facility.name
            prepared = await asyncio.to_thread(prepare, read.unit, read.surveys, sender.source_id, name)
            report = await self._write(read.unit, prepared, sender)
        except BadInputError as error:
            return _rejected(read.unit.name, error.reasons)
        except ProblemError as error:
            # A number taken in between would tell that somebody has it (S19).
            taken = error.refused.problem is IDENTIFIER_TAKEN
            code = "try-again" if taken else error.refused.problem.code
            return _rejected(read.unit.name, [Reason(code, read.unit.name)])
        if report.status == "imported":
            report.reasons += [Reason("type-not-kept", rtype) for rtype in sorted(read.not_kept)]
        return report

    async def _sender_of(self, unit: Unit) -> Facility | None:
        if unit.facility_code is None:
            return None
        return await _facility(self.store, unit.facility_code, self.clock.now())

    async def _write(self, unit: Unit, prepared: Prepared, sender: Sender) -> UnitReport:
        """A number that another import took in between is matched again."""
        for last in (*[False] * (TRIES - 1), True):
            try:
                return await self._write_once(unit, prepared, sender)
            except ProblemError as error:
                if last or error.refused.problem is not IDENTIFIER_TAKEN:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _write_once(self, unit: Unit, prepared: Prepared, sender: Sender) -> UnitReport:
        report: UnitReport | None = None
        try:
            async with self.store.transaction() as tx:
                report = await import_unit(tx, self.store.keys, unit, prepared, sender, self.clock.now())
                if self.dry_run:
                    raise _DryRunError
        except _DryRunError:
            pass
        assert report is not None
        return report


def read_units(stream: IO[bytes], name: str, now: datetime) -> Generator[ReadUnit | BadUnit, None, None]:
    """The units of a file by its content: a Bundle (plain or gzip) or a treatment package.

    The name of a file can tell what its content may not: a name the gate stops is replaced.
    """
    shown = name if judge_plain(name) == "keep" else "file"
    try:
        head = _peek(stream)
        if head.startswith(_GZIP):
            stream = io.BytesIO(_unzip(stream))
            head = _peek(stream)
        if head.startswith(b"<"):
            yield from (
                u if isinstance(u, BadUnit) else ReadUnit(u) for u in read_package(stream, shown, now)
            )
        elif head.startswith(b"{"):
            parsed = read_bundle(stream.read(BUNDLE_BYTES_MAX + 1), shown)
            yield ReadUnit(parsed.unit, parsed.surveys, parsed.not_kept)
        else:
            raise reject("unknown-format", shown)
    except BadInputError as error:
        yield BadUnit(shown, error.reasons)


def _peek(stream: IO[bytes]) -> bytes:
    head = stream.read(512)
    stream.seek(0)
    return head if head.startswith(_GZIP) else head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _unzip(stream: IO[bytes]) -> bytes:
    """At most BUNDLE_BYTES_MAX bytes come out of a gzip, however much it promises (zip bombs)."""
    try:
        with gzip.GzipFile(fileobj=stream) as unzipped:
            data = unzipped.read(BUNDLE_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error):
        raise reject("bad-gzip", "file") from None
    if len(data) > BUNDLE_BYTES_MAX:
        raise reject("too-large", "file")
    return data


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.name.endswith(_SUFFIXES) and p.is_file())
        else:
            yield path


async def _facility(store: Store, code: str, now: datetime) -> Facility:
    async with store.transaction() as tx:
        found = await facility_by_code(tx, code, now.astimezone(VIETNAM).date())
    if found is None:
        raise reject("unknown-facility", "MACSKCB")
    return found


def _rejected(name: str, reasons: list[Reason]) -> UnitReport:
    return UnitReport(unit=name, status="rejected", reasons=reasons)
