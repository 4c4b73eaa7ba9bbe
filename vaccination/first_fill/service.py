"""Taking a dose file in: each row in its own transaction, the answers of a hundred rows in one, so that a
file that was killed goes on behind the last hundred; rows that are met again by it change nothing.

Whose a row is, what waits in the quarantine and what the gate stops is decided by the intake (ehr/intake) as
for every other sender. Nobody is told of a row but by the person's own log.
"""

import asyncio
import hashlib
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Final
from uuid import UUID
from zlib import crc32

import msgspec

from ehr.intake.gate import judge_plain
from ehr.intake.ids import name_uuid
from ehr.intake.models import BadInputError, Reason, Unit
from ehr.intake.service import SYSTEM_CREDENTIAL, Sender, import_unit
from ehr.intake.units import Prepared, prepare
from identity.problems import IDENTIFIER_TAKEN
from kernel.clock import Clock
from kernel.problems import ProblemError
from store.database import Store, Tx
from vaccination.first_fill import queries
from vaccination.first_fill.duplicates import KNOWN, is_known
from vaccination.first_fill.fields import Fields
from vaccination.first_fill.mapping import same_dose, shortcomings, unit_of
from vaccination.first_fill.models import Given, Line, RowStatus, Standing, Summary, Told
from vaccination.first_fill.reading import Columns, read_doses

# Rows whose answers are kept at once: what a killed run does again at most.
ROWS_A_STEP: Final = 100
# As in ehr/rows: rows of one person in the file's order, some persons at a time.
LANES: Final = 3
TRIES: Final = 3
# What the operator sees and the sender is not told: that somebody has the number, and what others said (S19).
OPERATORS_ONLY: Final = frozenset({"identity-conflict", "withheld", KNOWN.code})
_REASONS: Final = msgspec.json.Decoder(list[Reason])

Ready = tuple[Unit, Prepared, list[Reason]] | list[Reason]
Progress = Callable[[int, float], None]


class OvertakenError(Exception):
    """Another run takes the same file in at this moment, and is further."""


class _DryRunError(Exception):
    """Rolls a transaction back whose answer is wanted."""


class Fill:
    """One file and what is known of its rows. operator: who gave the command, for the persons' logs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        path: Path,
        system: str,
        fields: Fields,
        *,
        operator: str,
        dry_run: bool = False,
        progress: Progress = lambda _rows, _part: None,
    ) -> None:
        self.store, self.clock, self.path, self.system, self.fields = store, clock, path, system, fields
        self.dry_run, self.progress = dry_run, progress
        self.file_id = _file_id(path, system, fields)
        self.columns = Columns(fields)
        self.sender = Sender(None, SYSTEM_CREDENTIAL + system, self.file_id, operator)
        self._seen: set[int] = set()
        self._tried = Standing()
        self._tried_lines: dict[int, tuple[RowStatus, str]] = {}
        self._size = path.stat().st_size

    async def run(self) -> Summary:
        """Take in every row that has no answer yet. Raises BadInputError for the file as a whole, before any
        row of it; OvertakenError."""
        with self.path.open("rb") as stream:
            rows = read_doses(stream, self.columns)
            step = await self._next(rows)
            before = await self._begin()
            done = before.rows_done
            while step:
                left = [one for one in step if one.number > done]
                ready = await asyncio.to_thread(self._made, step, done)
                if left:
                    await self._settle(done, left[-1].number, await self._take(ready))
                    done = left[-1].number
                self.progress(done, stream.tell() / max(self._size, 1))
                step = await self._next(rows)
        if not self.dry_run:
            async with self.store.transaction() as tx:
                await queries.FINISH.run(tx, self.file_id, self.clock.now())
        return await self._summary(before)

    async def lines(self) -> AsyncIterator[tuple[Given, Line]]:
        """The rows of which anything is to be said, as they stand in the file, in its order."""
        with self.path.open("rb") as stream:
            rows = read_doses(stream, Columns(self.fields))
            returned = await self._returned()
            while step := await self._next(rows):
                lines = await self._lines_between(step[0].number, step[-1].number)
                for given in step:
                    line = lines.get(given.number)
                    if code := returned.get(given.number):
                        line = Line(given.number, "refused", [Reason(code, "row")])
                    if line is not None:
                        yield given, line

    async def _next(self, rows: Iterator[Given]) -> list[Given]:
        return await asyncio.to_thread(lambda: list(itertools.islice(rows, ROWS_A_STEP)))

    async def _begin(self) -> Standing:
        if self.dry_run:
            return Standing()
        async with self.store.transaction() as tx:
            await queries.BEGIN.run(tx, self.file_id, self.system, self.clock.now())
            return await self._standing(tx)

    async def _standing(self, tx: Tx) -> Standing:
        found = await queries.STANDING.one(tx, self.file_id)
        assert found is not None
        return found

    def _made(self, step: list[Given], done: int) -> list[tuple[int, Ready]]:
        return [(one.number, made) for one in step if (made := self._make(one, done)) is not None]

    def _make(self, given: Given, done: int) -> Ready | None:
        """The unit of a row with what its sender should look at, or why it is refused; None for a row that
        has its answer. Such rows are read again too: a second row of one dose is found by them."""
        if given.row is None:
            return given.reasons if given.number > done else None
        try:
            unit = unit_of(given.row, self.system, self.clock.now())
            if self._met(unit.key):
                return [Reason("duplicate-row", "row")] if given.number > done else None
            twice = self._met(same_dose(given.row, unit))
            if given.number <= done:
                return None
            unit.name = f"row:{given.number}"
            prepared = prepare(unit, None, self.sender.source_id, None)
        except BadInputError as error:
            return error.reasons if given.number > done else None
        told = shortcomings(given.row, self.fields, given.cells)
        return unit, prepared, [Reason("dose-twice", "row"), *told] if twice else told

    def _met(self, key: str | None) -> bool:
        """Whether the file said so before; of each row eight bytes are held."""
        if key is None:
            return False
        mark = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
        met = mark in self._seen
        self._seen.add(mark)
        return met

    async def _take(self, ready: list[tuple[int, Ready]]) -> list[Line]:
        """The answers of a step, some persons at a time."""
        lanes: list[list[tuple[int, Ready]]] = [[] for _ in range(LANES)]
        for place in ready:
            lanes[_lane_of(place[1])].append(place)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._drive(number, lane)) for number, lane in enumerate(lanes)]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return sorted((line for task in tasks for line in task.result()), key=lambda line: line.row_number)

    async def _drive(self, lane: int, places: list[tuple[int, Ready]]) -> list[Line]:
        sender = msgspec.structs.replace(self.sender, lane=lane)
        return [await self._answer(sender, number, ready) for number, ready in places]

    async def _answer(self, sender: Sender, number: int, ready: Ready) -> Line:
        if isinstance(ready, list):
            return Line(number, "refused", [_safe(one) for one in ready])
        unit, prepared, told = ready
        status, reasons = await self._write(sender, unit, prepared)
        # What waits in the quarantine is told the same as what is in a book (S19).
        return Line(number, status, reasons if status == "refused" else reasons + told)

    async def _write(self, sender: Sender, unit: Unit, prepared: Prepared) -> tuple[RowStatus, list[Reason]]:
        """A number that another import took in between is matched again."""
        for _ in range(TRIES):
            try:
                return await self._write_once(sender, unit, prepared)
            except BadInputError as error:
                return "refused", [_safe(one) for one in error.reasons]
            except ProblemError as error:
                if error.refused.problem is not IDENTIFIER_TAKEN:
                    return "refused", [Reason(error.refused.problem.code, "row")]
        return "refused", [Reason("try-again", "row")]

    async def _write_once(
        self, sender: Sender, unit: Unit, prepared: Prepared
    ) -> tuple[RowStatus, list[Reason]]:
        told: tuple[RowStatus, list[Reason]] = "imported", []
        try:
            async with self.store.transaction() as tx:
                told = await self._written(tx, sender, unit, prepared)
                if self.dry_run:
                    raise _DryRunError
        except _DryRunError:
            pass
        return told

    async def _written(
        self, tx: Tx, sender: Sender, unit: Unit, prepared: Prepared
    ) -> tuple[RowStatus, list[Reason]]:
        report = await import_unit(tx, self.store.keys, unit, prepared, sender, self.clock.now())
        if report.status == "rejected":
            return "refused", [_safe(one) for one in report.reasons]
        if report.status == "quarantined":
            return "quarantined", report.reasons
        told = [Reason("withheld", "row")] if prepared.withheld or prepared.review else []
        dose = next((row for row in prepared.resources if row.rtype == "Immunization"), None)
        if dose is not None and await is_known(tx, UUID(str(report.patient_id)), dose):
            told.append(KNOWN)
        return "imported", told

    async def _settle(self, before: int, last: int, lines: list[Line]) -> None:
        """Keep the answers of a step; of rows of which nothing is to be said only how many they are."""
        counts = Counter(line.status for line in lines)
        said = [line for line in lines if line.reasons]
        numbers = counts["imported"], counts["quarantined"], counts["refused"]
        if self.dry_run:
            self._tried = _added(self._tried, last, *numbers)
            for line in said:
                self._tried_lines[line.row_number] = line.status, _text(line.reasons)
            return
        async with self.store.transaction() as tx:
            if await queries.ADVANCE.one(tx, self.file_id, before, last, *numbers) is None:
                raise OvertakenError
            await queries.KEEP_LINES.run(
                tx,
                self.file_id,
                [line.row_number for line in said],
                [line.status for line in said],
                [_text(line.reasons) for line in said],
            )

    async def _lines_between(self, first: int, last: int) -> dict[int, Line]:
        if self.dry_run:
            found = ((number, self._tried_lines.get(number)) for number in range(first, last + 1))
            return {number: Line(number, held[0], _REASONS.decode(held[1])) for number, held in found if held}
        async with self.store.transaction() as tx:
            rows = await queries.LINES.all(tx, self.file_id, first, last)
        return {
            row.row_number: Line(row.row_number, row.status, _REASONS.decode(row.reasons)) for row in rows
        }

    async def _returned(self) -> dict[int, str]:
        """Rows that officers sent back from the quarantine since, with why."""
        if self.dry_run:
            return {}
        async with self.store.transaction() as tx:
            rows = await queries.RETURNED.all(tx, self.file_id)
        return {int(row.unit.removeprefix("row:")): row.code for row in rows}

    async def _summary(self, before: Standing) -> Summary:
        if self.dry_run:
            now, counted = self._tried, Counter(text for _, text in self._tried_lines.values())
        else:
            async with self.store.transaction() as tx:
                now = await self._standing(tx)
                counted = Counter(
                    {row.reasons: row.rows for row in await queries.COUNTS.all(tx, self.file_id)}
                )
        told: Counter[Reason] = Counter()
        for text, rows in counted.items():
            for reason in _REASONS.decode(text):
                told[reason] += rows
        return Summary(
            file_id=self.file_id,
            system=self.system,
            dry_run=self.dry_run,
            imported=now.imported,
            quarantined=now.quarantined,
            refused=now.refused,
            rows_now=_rows(now) - _rows(before),
            told=[Told(reason.code, reason.where, rows) for reason, rows in told.most_common()],
            columns_not_kept=[one if judge_plain(one) == "keep" else "?" for one in self.columns.other],
            columns_missing=[name for name in self.fields.official if name not in self.columns.kept],
            fields_version=self.fields.version,
            fields_confirmed=self.fields.confirmed,
        )


def _file_id(path: Path, system: str, fields: Fields) -> UUID:
    """The same for the same file of the same system, read by the same fields."""
    digest = hashlib.sha256(msgspec.json.encode(fields))
    with path.open("rb") as stream:
        _feed(digest.update, stream)
    return UUID(name_uuid(f"{system}\n{digest.hexdigest()}"))


def _feed(update: Callable[[bytes], None], stream: IO[bytes]) -> None:
    while piece := stream.read(1024 * 1024):
        update(piece)


def _lane_of(ready: Ready) -> int:
    """Rows of one person share a lane."""
    return 0 if isinstance(ready, list) else crc32(repr(ready[0].person.identifiers[:1]).encode()) % LANES


def _safe(reason: Reason) -> Reason:
    """A place is a field of ours, or within a resource; one that tells is not repeated."""
    return reason if judge_plain(reason.where) == "keep" else Reason(reason.code, "row")


def _text(reasons: list[Reason]) -> str:
    return sys.intern(msgspec.json.encode(reasons).decode())


def _rows(standing: Standing) -> int:
    return standing.imported + standing.quarantined + standing.refused


def _added(standing: Standing, last: int, imported: int, quarantined: int, refused: int) -> Standing:
    return msgspec.structs.replace(
        standing,
        rows_done=last,
        imported=standing.imported + imported,
        quarantined=standing.quarantined + quarantined,
        refused=standing.refused + refused,
    )
