"""Taking a list in, some thousand lines a step, each step in one transaction with how far the list is.

So a list that was killed goes on behind its last step, and no line counts twice. While a step is written the
next one is read and sealed (preparing.py) and looked up; memory holds three steps, however long the list. A
dry run holds some hundred bytes a line besides, to find numbers that stand in it twice, and reads no more
than DRY_LINES_MAX lines.
"""

import asyncio
import gc
import hashlib
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from asyncpg import ForeignKeyViolationError, InternalServerError, UniqueViolationError

from identity.population import queries
from identity.population.deciding import Decided, Judge, Known, New, Ready, Turned, again, look_up
from identity.population.models import (
    DRY_LINES_MAX,
    LINES_MAX,
    LineRow,
    LineStatus,
    ListKind,
    Reason,
    Standing,
    Summary,
    Told,
    Unread,
)
from identity.population.preparing import Apart, Prepared, Preparing, apart
from identity.population.writing import Load, Sealed, write_known, write_new
from kernel.access import Actor
from kernel.clock import Clock, local_day
from kernel.ids import uuid8
from kernel.text import fold
from store.database import Store

NO_ACCOUNT: Final = UUID(int=0)
TRIES: Final = 5
_DROPPED_AT_ONCE: Final = 10_000
_PAGE: Final = 1000
_REASONS: Final = msgspec.json.Decoder(tuple[Reason, ...])
Progress = Callable[[int, float], None]


class OvertakenError(Exception):
    """Another run took the list further."""


class StuckError(Exception):
    """A step could not be written, as often as it was decided anew; its cause is what the database said. The
    list stands behind the step before."""

    def __init__(self, last: int) -> None:
        super().__init__(f"the step up to line {last} could not be written")


class _Said(NamedTuple):
    """What is told of a line."""

    line: int
    status: LineStatus
    reasons: str


class _Step(NamedTuple):
    """A step ready to be written. made: None in a dry run."""

    lines: list[Ready | Unread]
    decided: list[Decided]
    made: Sealed | None


class PopulationLoad:
    """One run over a file. progress(lines, part of the file) is told after each step."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        path: Path,
        kind: ListKind,
        *,
        operator: str,
        dry_run: bool = False,
        progress: Progress = lambda _lines, _part: None,
    ) -> None:
        self.store, self.clock, self.path, self.kind = store, clock, path, kind
        self.dry_run, self.progress = dry_run, progress
        actor = Actor(kind="operator", actor_id=NO_ACCOUNT, name=operator)
        self.load = Load(load_id_of(path, kind), kind, actor)
        self._other: list[str] = []
        self._tried = Standing()
        self._tried_lines: list[_Said] = []
        self._tried_keys: dict[int, int] = {}

    async def run(self) -> Summary:
        """Take in every line that has no answer yet. Raises BadFileError before any line; OvertakenError,
        StuckError."""
        today = local_day(self.clock.now())
        lines_max = DRY_LINES_MAX if self.dry_run else LINES_MAX
        with _uncollected():
            async with apart(Preparing(self.store.keys, self.path, self.load, today, lines_max)) as there:
                first = await there.next_step()
                begun = await self._begin()
                await self._steps(there, first, begun)
        if not self.dry_run:
            async with self.store.transaction() as tx:
                await queries.FINISH.run(tx, self.load.load_id, self.clock.now())
        return await self._summary(begun)

    async def lines(self) -> AsyncIterator[tuple[int, LineStatus, tuple[Reason, ...]]]:
        """The lines of which anything is to be said, in the order of the file."""
        last = 0
        while page := await self._lines_after(last):
            for one in page:
                yield one.line, one.status, _REASONS.decode(one.reasons)
            last = page[-1].line

    async def _steps(self, there: Apart, step: Prepared, begun: Standing) -> None:
        done, writing, before = begun.lines_done, None, frozenset[bytes]()
        try:
            while step.lines:
                lines = [one for one in step.lines if _number(one) > begun.lines_done]
                numbers = _numbers(lines)
                # A number of the step that is being written: its person is looked up after it.
                if writing is not None and not numbers.isdisjoint(before):
                    await writing
                ready = await self._decide(there, lines)
                if writing is not None:
                    await writing
                if lines:
                    last = _number(lines[-1])
                    writing = asyncio.create_task(self._take(there, ready, begun.run, done, last, step.part))
                    done, before = last, numbers
                self._other = step.other
                step = await there.next_step()
            if writing is not None:
                await writing
        finally:
            if writing is not None and not writing.done():
                await asyncio.wait([writing])

    async def _begin(self) -> Standing:
        """How far the load is. A finished one begins anew, and what was said of its lines goes first."""
        if self.dry_run:
            return Standing()
        load_id = self.load.load_id
        async with self.store.transaction() as tx:
            before = await queries.STANDING.one(tx, load_id)
        if before is None or before.finished_at is not None:
            dropped = _DROPPED_AT_ONCE
            while dropped == _DROPPED_AT_ONCE:
                async with self.store.transaction() as tx:
                    dropped = await queries.DROP_LINES.one(tx, load_id, _DROPPED_AT_ONCE) or 0
        async with self.store.transaction() as tx:
            await queries.BEGIN.run(tx, load_id, self.kind, self.load.actor.name, self.clock.now())
            begun = await queries.STANDING.one(tx, load_id)
        assert begun is not None
        return begun

    async def _decide(self, there: Apart, step: list[Ready | Unread]) -> _Step:
        now = self.clock.now()
        async with self.store.transaction() as tx:
            found = await look_up(tx, step, self.kind)
            judge = Judge(self.store.keys, self.kind, self.load.load_id, found, now)
            decided = [await judge.decide(tx, one) for one in step]
        if self.dry_run:
            return _Step(step, [self._tried_before(one) for one in decided], None)
        new = [one for one in decided if isinstance(one, New)]
        return _Step(step, decided, await there.sealed(new, now))

    def _tried_before(self, one: Decided) -> Decided:
        """In a dry run nothing is written that a later step would find."""
        if not isinstance(one, New):
            return one
        line = one.ready.line
        who = hash((line.birth_date, line.sex, fold(line.name)))
        keys = [hash(number) for number in line.numbers]
        before = [self._tried_keys[key] for key in keys if key in self._tried_keys]
        if before:
            return again(line, same=all(other == who for other in before))
        self._tried_keys.update(dict.fromkeys(keys, who))
        return one

    async def _take(self, there: Apart, ready: _Step, run: int, before: int, last: int, part: float) -> None:
        """Write a step, or decide it anew when somebody took a number or a person in between."""
        for tried in range(1, TRIES + 1):
            counts = Counter(_outcome(one) for one in ready.decided)
            said = [told for one in ready.decided if (told := _told(one)) is not None]
            try:
                if ready.made is None:
                    self._note_tried(last, counts, said)
                else:
                    await self._write(ready, ready.made, (run, before, last), counts, said)
            except (UniqueViolationError, ForeignKeyViolationError, InternalServerError) as error:
                if tried == TRIES:
                    raise StuckError(last) from error
                ready = await self._decide(there, ready.lines)
            else:
                self.progress(last, part)
                return

    async def _write(
        self, ready: _Step, made: Sealed, place: tuple[int, int, int], counts: Counter[str], said: list[_Said]
    ) -> None:
        now, keys = self.clock.now(), self.store.keys
        numbers = [counts[name] for name in ("made", "changed", "unchanged", "refused", "disagreeing")]
        async with self.store.transaction() as tx:
            if await queries.ADVANCE.one(tx, self.load.load_id, *place, *numbers) is None:
                raise OvertakenError
            await write_new(tx, made)
            known = [one for one in ready.decided if isinstance(one, Known)]
            await write_known(tx, keys, self.load, known, now)
            if said:
                await queries.KEEP_LINES.run(
                    tx, self.load.load_id, *(list(column) for column in zip(*said, strict=True))
                )

    def _note_tried(self, last: int, counts: Counter[str], said: list[_Said]) -> None:
        tried = self._tried
        self._tried = msgspec.structs.replace(
            tried,
            lines_done=last,
            made=tried.made + counts["made"],
            changed=tried.changed + counts["changed"],
            unchanged=tried.unchanged + counts["unchanged"],
            refused=tried.refused + counts["refused"],
            disagreeing=tried.disagreeing + counts["disagreeing"],
        )
        self._tried_lines += said

    async def _lines_after(self, last: int) -> list[LineRow]:
        if self.dry_run:
            at = bisect_right(self._tried_lines, last, key=lambda one: one.line)
            return [LineRow(*one) for one in self._tried_lines[at : at + _PAGE]]
        async with self.store.transaction() as tx:
            return await queries.LINES_AFTER.all(tx, self.load.load_id, last, _PAGE)

    async def _summary(self, begun: Standing) -> Summary:
        if self.dry_run:
            now = self._tried
            counted = Counter(one.reasons for one in self._tried_lines)
        else:
            async with self.store.transaction() as tx:
                now = await queries.STANDING.one(tx, self.load.load_id) or Standing()
                counted = Counter(
                    {row.reasons: row.lines for row in await queries.TOLD.all(tx, self.load.load_id)}
                )
        told: Counter[Reason] = Counter()
        for text, lines in counted.items():
            for reason in _REASONS.decode(text):
                told[reason] += lines
        return Summary(
            load_id=self.load.load_id,
            kind=self.kind,
            dry_run=self.dry_run,
            lines=_lines(now),
            lines_now=_lines(now) - _lines(begun),
            made=now.made,
            changed=now.changed,
            unchanged=now.unchanged,
            refused=now.refused,
            disagreeing=now.disagreeing,
            told=[
                Told(reason.code, reason.field, lines)
                for reason, lines in sorted(told.items(), key=lambda one: (-one[1], one[0]))
            ],
            columns_not_read=self._other,
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector, which takes a quarter of a load and finds nothing: rows hold no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load_id_of(path: Path, kind: ListKind) -> UUID:
    """The same for the same file of the same kind."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return uuid8(hashlib.sha256(kind.encode() + digest).digest())


def _number(one: Ready | Unread) -> int:
    return one.line.number if isinstance(one, Ready) else one.number


def _numbers(step: list[Ready | Unread]) -> frozenset[bytes]:
    """The hashes that name people in a step."""
    ready = (one for one in step if isinstance(one, Ready))
    return frozenset(versions[0][1] for one in ready for _, _, versions in one.numbers)


def _outcome(one: Decided) -> str:
    if isinstance(one, New):
        return "made"
    if isinstance(one, Known):
        return "changed" if one.is_new or one.attach else "unchanged"
    return one.status


def _told(one: Decided) -> _Said | None:
    """What is to be said of a line; of a line that is taken, what was left out of it."""
    if isinstance(one, Turned):
        return _Said(one.number, one.status, _text(one.reasons))
    line = one.ready.line
    return _Said(line.number, "taken", _text(line.notes)) if line.notes else None


def _text(reasons: tuple[Reason, ...]) -> str:
    return sys.intern(msgspec.json.encode(reasons).decode())


def _lines(standing: Standing) -> int:
    counted = standing.made + standing.changed + standing.unchanged
    return counted + standing.refused + standing.disagreeing
