"""Importing files and received bodies: what format it is, unit by unit, each in its own transaction."""

import asyncio
import gzip
import io
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from msgspec import Struct

from ehr.intake.cda import read_document
from ehr.intake.counting import Counts, count, counts_of
from ehr.intake.fhir_bundle import BUNDLE_BYTES_MAX, read_bundle
from ehr.intake.gate import judge_plain
from ehr.intake.models import (
    BadInputError,
    BadUnit,
    FileReport,
    Reason,
    Report,
    SignatureFacts,
    Unit,
    UnitReport,
    reject,
)
from ehr.intake.phr831 import read_forms
from ehr.intake.safe_xml import root_name
from ehr.intake.service import Sender, import_unit
from ehr.intake.signature import Signed, TrustedCertificate, look, verify
from ehr.intake.survey import Survey
from ehr.intake.treatment_xml import read_package
from ehr.intake.trust.service import certificates_of
from ehr.intake.units import Prepared, prepare
from identity.models import Facility
from identity.problems import IDENTIFIER_TAKEN
from identity.register.facilities import facility_by_code
from kernel.clock import VIETNAM, Clock
from kernel.ids import uuid7
from kernel.problems import ProblemError
from store.database import Store

TRIES = 3
TURN_SECONDS = 0.0003
_GZIP = b"\x1f\x8b"
_SUFFIXES = (".json", ".json.gz", ".xml")
# By root element; whatever else is read as a treatment package, which names what is wrong with it.
_XML_READERS = {"DATA": read_forms, "ClinicalDocument": read_document}

Progress = Callable[[str, UnitReport], None]


class ReadUnit(Struct):
    """A unit as read, with the survey of its items where the reader made one."""

    unit: Unit
    surveys: list[Survey] | None = None
    not_kept: dict[str, int] = {}
    signed: Signed | None = None


class Input(Struct, frozen=True):
    """One file or body; it is opened when its turn comes."""

    name: str
    open: Callable[[], IO[bytes]]


class Writable(Struct, frozen=True):
    """A unit with its rows and whose they are."""

    read: ReadUnit
    prepared: Prepared
    sender: Sender


class Ready(Struct, frozen=True):
    """What comes next: a unit to write, or the report on one that was refused. number: of its input."""

    number: int
    made: Writable | UnitReport


Units = Generator[tuple[int, ReadUnit | BadUnit], None, None]


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
    files = list(_files(paths))
    reports = await importer.inputs([Input(path.name, _opener(path)) for path in files])
    return Report([FileReport(str(path), units) for path, units in zip(files, reports, strict=True)])


@contextmanager
def _short_turns() -> Iterator[None]:
    """While a thread reads, the event loop gets the interpreter back in 0.3 ms instead of 5: it asks for it
    after every answer of the database, and so does every other request of this process."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


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
        self._trusted: dict[UUID, list[TrustedCertificate]] = {}
        self._verdicts: dict[tuple[int, UUID], SignatureFacts] = {}
        self.batch = uuid7(clock.now())
        self._refused: Counts = Counter()

    async def stream(self, stream: IO[bytes], name: str, *, most: int | None = None) -> list[UnitReport]:
        """Import all units of one file or body, in its order; after `most` the rest is rejected unread."""
        return (await self.inputs([Input(name, lambda: stream)], most=most))[0]

    async def inputs(self, inputs: list[Input], *, most: int | None = None) -> list[list[UnitReport]]:
        """Import all units of several inputs, in their order. While one is written, the next is read."""
        reports: list[list[UnitReport]] = [[] for _ in inputs]
        units = read_inputs(inputs, self.clock)
        # libxml2 keeps its names per thread: a file is read on one thread from its start to its end.
        with _short_turns(), ThreadPoolExecutor(max_workers=1) as reader:
            ahead = asyncio.create_task(self._next(units, reader))
            try:
                while (ready := await ahead) is not None:
                    own, name = reports[ready.number], inputs[ready.number].name
                    if most is not None and len(own) >= most:
                        own.append(self._refuse(_rejected(name, [Reason("too-large", name)])))
                        break
                    ahead = asyncio.create_task(self._next(units, reader))
                    own.append(await self._finish(ready))
                    if self.progress is not None:
                        self.progress(name, own[-1])
            finally:
                ahead.cancel()
                await asyncio.get_running_loop().run_in_executor(reader, units.close)
                await self._count_refused()
        return reports

    def _refuse(self, report: UnitReport) -> UnitReport:
        self._refused += counts_of(report)
        return report

    async def _count_refused(self) -> None:
        """Units that never came to a transaction of their own, counted at the end of the run."""
        counts, self._refused = self._refused, Counter()
        if counts and not self.dry_run:
            facility_id = None if self.facility is None else self.facility.facility_id
            async with self.store.transaction() as tx:
                await count(tx, facility_id, self.batch, counts, self.clock.now())

    async def _next(self, units: Units, reader: Executor) -> Ready | None:
        """Read the next unit and prepare its rows; None after the last."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(reader, next, units, None)
        if found is None:
            return None
        number, read = found
        if isinstance(read, BadUnit):
            return Ready(number, _rejected(read.name, read.reasons))
        try:
            facility = self.facility if self.fixed else await self._sender_of(read.unit)
        except BadInputError as error:
            return Ready(number, _rejected(read.unit.name, error.reasons))
        read.unit.signature = facts = await self._verdict(number, read.signed, facility, reader)
        if facts is not None and facts.status == "invalid":
            reason = Reason("signature-invalid", f"Signature/{facts.reason}")
            return Ready(number, _rejected(read.unit.name, [reason]))
        sender = Sender(facility, self.credential, self.batch)
        name = None if facility is None else facility.name
        made = await loop.run_in_executor(reader, _prepare, read, sender, name)
        return Ready(number, made)

    async def _verdict(
        self, number: int, signed: Signed | None, facility: Facility | None, reader: Executor
    ) -> SignatureFacts | None:
        """The verdict on the signature of an input for its sender, worked out once for all of its units."""
        if signed is None or facility is None:
            return None if signed is None else signed.facts
        known = (number, facility.facility_id)
        if known not in self._verdicts:
            trusted = await self._certificates(facility)
            now, loop = self.clock.now(), asyncio.get_running_loop()
            self._verdicts[known] = await loop.run_in_executor(reader, verify, signed, trusted, now)
        return self._verdicts[known]

    async def _certificates(self, facility: Facility) -> list[TrustedCertificate]:
        """Those that count for a sender, read once a run."""
        if facility.facility_id not in self._trusted:
            async with self.store.transaction() as tx:
                self._trusted[facility.facility_id] = await certificates_of(tx, facility.facility_id)
        return self._trusted[facility.facility_id]

    async def _finish(self, ready: Ready) -> UnitReport:
        """Write what was read in its own transaction, unless it was refused."""
        made = ready.made
        if isinstance(made, UnitReport):
            return self._refuse(made)
        unit = made.read.unit
        try:
            report = await self._write(unit, made.prepared, made.sender)
        except ProblemError as error:
            # A number taken in between would tell that somebody has it (S19).
            taken = error.refused.problem is IDENTIFIER_TAKEN
            code = "try-again" if taken else error.refused.problem.code
            return self._refuse(_rejected(unit.name, [Reason(code, unit.name)]))
        if unit.signature is not None and unit.signature.status != "absent":
            report.signature = unit.signature.status
        if report.status == "imported":
            report.reasons += [Reason("type-not-kept", rtype) for rtype in sorted(made.read.not_kept)]
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


def _prepare(read: ReadUnit, sender: Sender, facility_name: str | None) -> Writable | UnitReport:
    try:
        prepared = prepare(read.unit, read.surveys, sender.source_id, facility_name)
    except BadInputError as error:
        return _rejected(read.unit.name, error.reasons)
    return Writable(read, prepared, sender)


def read_inputs(inputs: list[Input], clock: Clock) -> Units:
    """The units of all inputs, each with the number of its input; what cannot be opened is a rejected one."""
    for number, given in enumerate(inputs):
        try:
            with given.open() as stream:
                for unit in read_units(stream, given.name, clock.now()):
                    yield number, unit
        except OSError:
            yield number, BadUnit(given.name, [Reason("unreadable-file", given.name)])


def read_units(stream: IO[bytes], name: str, now: datetime) -> Generator[ReadUnit | BadUnit, None, None]:
    """The units of a file by its content: a Bundle (plain or gzip), or XML by its root element.

    The name of a file can tell what its content may not: a name the gate stops is replaced.
    """
    shown = name if judge_plain(name) == "keep" else "file"
    try:
        head = _peek(stream)
        if head.startswith(_GZIP):
            stream = io.BytesIO(_unzip(stream))
            head = _peek(stream)
        if head.startswith(b"<"):
            signed = look(stream)
            reader = _XML_READERS.get(root_name(signed.stream), read_package)
            for unit in reader(signed.stream, shown, now):
                yield unit if isinstance(unit, BadUnit) else ReadUnit(unit, signed=signed)
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


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


async def _facility(store: Store, code: str, now: datetime) -> Facility:
    async with store.transaction() as tx:
        found = await facility_by_code(tx, code, now.astimezone(VIETNAM).date())
    if found is None:
        raise reject("unknown-facility", "MACSKCB")
    return found


def _rejected(name: str, reasons: list[Reason]) -> UnitReport:
    """Places are element names, some of which a sender can choose: one that tells is not repeated."""
    told = [one if judge_plain(one.where) == "keep" else Reason(one.code, "?") for one in reasons]
    return UnitReport(unit=name, status="rejected", reasons=told)
