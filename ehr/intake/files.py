"""Importing files and received bodies, unit by unit, each in its own transaction.

A process of its own reads and prepares (reader.py); here is what needs the database.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from msgspec import Struct

from ehr.intake.counting import Counts, count, counts_of
from ehr.intake.frames import Answer, Job, Made, Refused, SenderFacts
from ehr.intake.gate import judge_plain
from ehr.intake.models import BadInputError, FileReport, Reason, Report, Unit, UnitReport, reject
from ehr.intake.reader_process import Reading
from ehr.intake.service import OPERATOR_SOURCE, Sender, import_unit
from ehr.intake.trust.service import certificates_of
from ehr.intake.units import Prepared
from identity.models import Facility
from identity.problems import IDENTIFIER_TAKEN
from identity.register.facilities import facility_by_code
from kernel.clock import VIETNAM, Clock
from kernel.ids import uuid7
from kernel.problems import ProblemError
from store.database import Store

TRIES = 3
_SUFFIXES = (".json", ".json.gz", ".xml")

Progress = Callable[[str, UnitReport], None]


class Input(Struct, frozen=True):
    """One file, opened when its turn comes, or one body."""

    name: str
    path: Path | None = None
    data: bytes = b""


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
    operator: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Import files and folders for `healthbook import`. Without a facility code the sender is the one
    whose code a package carries; a Bundle then belongs to the operator's own source. operator: who gave the
    command, for the logs of those whose books it touches (security.md S26).

    Raises BadInputError `unknown-facility` for a code that no facility has today.
    """
    now = clock.now()
    given = await _facility(store, facility_code, now) if facility_code is not None else None
    importer = Importer(store, clock, given, credential, dry_run=dry_run, progress=progress)
    importer.operator = operator
    files = list(_files(paths))
    reports = await importer.inputs([Input(path.name, path) for path in files])
    return Report([FileReport(str(path), units) for path, units in zip(files, reports, strict=True)])


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
        self.operator: str | None = None
        self._senders: dict[str, Facility] = {}
        self.batch = uuid7(clock.now())
        self._refused: Counts = Counter()

    async def stream(self, stream: IO[bytes], name: str, *, most: int | None = None) -> list[UnitReport]:
        """Import all units of one file or body, in its order; after `most` the rest is rejected unread."""
        return (await self.inputs([Input(name, data=stream.read())], most=most))[0]

    async def inputs(self, inputs: list[Input], *, most: int | None = None) -> list[list[UnitReport]]:
        """Import all units of several inputs, in their order. While one is written, the next is read."""
        reports: list[list[UnitReport]] = [[] for _ in inputs]
        reading = Reading(await self._jobs(inputs, most), self._answer)
        ahead = asyncio.create_task(reading.next())
        try:
            while (read := await ahead) is not None:
                ahead = asyncio.create_task(reading.next())
                report = await self._finish(read.told)
                reports[read.number].append(report)
                if self.progress is not None:
                    self.progress(inputs[read.number].name, report)
        finally:
            ahead.cancel()
            reading.close()
            await self._count_refused()
        return reports

    async def _jobs(self, inputs: list[Input], most: int | None) -> list[Job]:
        sender = await self._facts(self.facility)
        return [
            Job(
                number=number,
                name=given.name,
                run=self.batch,
                now=self.clock.now(),
                path=None if given.path is None else str(given.path.absolute()),
                data=given.data,
                sender=sender,
                is_fixed=self.fixed,
                most=most,
            )
            for number, given in enumerate(inputs)
        ]

    async def _facts(self, facility: Facility | None) -> SenderFacts:
        if facility is None:
            return SenderFacts(OPERATOR_SOURCE)
        async with self.store.transaction() as tx:
            trusted = await certificates_of(tx, facility.facility_id)
        return SenderFacts(str(facility.facility_id), facility.name, trusted)

    async def _answer(self, code: str) -> Answer:
        """Which facility has a code today: the reader asks once a run."""
        try:
            self._senders[code] = facility = await _facility(self.store, code, self.clock.now())
        except BadInputError as error:
            return Answer(None, error.reasons)
        return Answer(await self._facts(facility))

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

    def _sender_of(self, unit: Unit) -> Sender:
        code = unit.facility_code
        facility = self.facility if self.fixed or code is None else self._senders[code]
        return Sender(facility, self.credential, self.batch, self.operator)

    async def _finish(self, told: Made | Refused) -> UnitReport:
        """Write what was read in its own transaction, unless it was refused."""
        if isinstance(told, Refused):
            return self._refuse(_rejected(told.name, told.reasons))
        unit = told.unit
        prepared = Prepared(told.resources, told.counts, told.withheld, told.review, told.kept)
        try:
            report = await self._write(unit, prepared, self._sender_of(unit))
        except ProblemError as error:
            # A number taken in between would tell that somebody has it (S19).
            taken = error.refused.problem is IDENTIFIER_TAKEN
            code = "try-again" if taken else error.refused.problem.code
            return self._refuse(_rejected(unit.name, [Reason(code, unit.name)]))
        if unit.signature is not None and unit.signature.status != "absent":
            report.signature = unit.signature.status
        if report.status == "imported":
            report.reasons += [Reason("type-not-kept", rtype) for rtype in told.not_kept]
        return report

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
    """Places are element names, some of which a sender can choose: one that tells is not repeated."""
    told = [one if judge_plain(one.where) == "keep" else Reason(one.code, "?") for one in reasons]
    return UnitReport(unit=name, status="rejected", reasons=told)
