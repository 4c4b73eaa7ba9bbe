"""The archives of a hand-over: everybody's rows and files, then those of ids that are no citizen."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from healthbook.commands import pages_of_people
from healthbook.handover import queries
from healthbook.handover.layout import LISTS, OTHERS, PEOPLE, ROWS, HandedFile, as_lines
from healthbook.handover.packing import Packer, write_list, write_whole, zipped
from healthbook.handover.rows import clear_row, of_people
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.blobs import BlobDamagedError, BlobMissingError, person_prefix
from store.database import Store, Tx
from store.person_tables import PersonTable
from store.queries import rows_of_person

# What the finished pages have; of the work alone.
COUNTS: Final = "counts"
PAGE: Final = 200
_IDS_AT_ONCE: Final = 10_000


class Page(Struct, frozen=True):
    """rows: how many, by table. opened: as `receipt_of` wants it."""

    rows: dict[str, int]
    opened: bytes


class Archives:
    """Written page by page: a page whose list is there is done."""

    def __init__(self, store: Store, directory: Path, recipients: list[str]) -> None:
        self._store, self._directory, self._recipients = store, directory, recipients

    async def of_citizens(self, told: Callable[[int], None]) -> int:
        """Returns how many. told: how many are done since the last call. Raises StartError."""
        tables = of_people()
        return await self._write(PEOPLE, pages_of_people(self._store), tables, told)

    async def of_others(self) -> int:
        """After `of_citizens`: of every id that rows name and that is no citizen. Returns how many."""
        rows = tally(pages(self._directory, PEOPLE))
        async with self._store.transaction() as tx:
            tables = await short_of(tx, rows)
        found = sorted(await _no_citizens(self._store, tables))
        return await self._write(OTHERS, _in_pages(found), tables, lambda _: None)

    async def _write(
        self,
        place: str,
        ids: AsyncIterator[list[UUID]],
        tables: list[PersonTable],
        told: Callable[[int], None],
    ) -> int:
        count, number = 0, 0
        async for page in ids:
            number, count = number + 1, count + len(page)
            name = f"{place}-{number:06d}.ndjson"
            if not (self._directory / LISTS / name).exists():
                packer, files = Packer(self._directory, self._recipients), list[HandedFile]()
                rows = Counter[str]()
                for owner in page:
                    files += await self._one(packer, f"{place}/{owner.hex[-2:]}/{owner}", owner, tables, rows)
                made = Page(rows, packer.opened.digest())
                write_whole(self._directory / COUNTS / f"{name}.json", msgspec.json.encode(made))
                write_list(self._directory, name, files)
            told(len(page))
        return count

    async def _one(
        self, packer: Packer, place: str, owner: UUID, tables: list[PersonTable], rows: Counter[str]
    ) -> list[HandedFile]:
        async with self._store.transaction() as tx:
            archive = await _archive(tx, self._store, owner, tables, rows)
        files = [await packer.put(f"{place}/{ROWS}", archive)]
        for blob_id in await self._store.blobs.key_ids(owner):
            try:
                clear = await self._store.blobs.get(owner, blob_id)
            except BlobMissingError:
                continue
            except BlobDamagedError as error:
                raise StartError(
                    f"The file {person_prefix(owner)}/{blob_id.hex} does not open: it is damaged, or its key "
                    "is missing. Put back file or key, or remove the file where neither is left, and run "
                    "this again."
                ) from error
            files.append(await packer.put(f"{place}/{blob_id}", clear))
        return files


async def short_of(tx: Tx, rows: Mapping[str, int]) -> list[PersonTable]:
    """Tables of people that hold more rows than are in archives."""
    return [
        one for one in of_people() if rows.get(one.table, 0) < await tx.fetchval(queries.count(one.table))
    ]


def pages(directory: Path, place: str = "") -> list[Page]:
    """Those that are done, by the names of their lists."""
    paths = sorted((directory / COUNTS).glob(f"{place}*.json"))
    return [msgspec.json.decode(path.read_bytes(), type=Page) for path in paths]


def tally(of: Sequence[Page]) -> Counter[str]:
    return sum((Counter(page.rows) for page in of), Counter[str]())


async def _no_citizens(store: Store, tables: list[PersonTable]) -> set[UUID]:
    """A table after the other, and no join of two: a cluster knows no join of what lies by other columns."""
    found = set[UUID]()
    for one in tables:
        async with store.transaction() as tx:
            lot = list[UUID]()
            async for row in tx.cursor(queries.owners(one.table, one.column), prefetch=_IDS_AT_ONCE):
                lot.append(row[0])
                if len(lot) == _IDS_AT_ONCE:
                    found |= {*lot} - {*await queries.CITIZENS_AMONG.all(tx, lot)}
                    lot = []
            found |= {*lot} - {*await queries.CITIZENS_AMONG.all(tx, lot)}
    return found


async def _in_pages(ids: list[UUID]) -> AsyncIterator[list[UUID]]:
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


async def _archive(tx: Tx, store: Store, owner: UUID, tables: list[PersonTable], rows: Counter[str]) -> bytes:
    made: dict[str, list[dict[str, Any]]] = {}
    now = SystemClock().now()
    for one in tables:
        found = await tx.fetch(rows_of_person(one.table, one.column, None), owner, now, list[UUID]())
        if found:
            made[one.table] = [clear_row(store.keys, one.table, dict(row)) for row in found]
    rows.update({table: len(lines) for table, lines in made.items()})
    return await asyncio.to_thread(
        zipped, {f"{name}.ndjson": as_lines(lines) for name, lines in made.items()}
    )
