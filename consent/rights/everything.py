"""Everything held about a person in one archive: one file of lines per table, each line a row.

Made from the list that an erasure goes by (store/person_tables.py), so that a new table is in it or says
why not. Sealed columns are opened for their person; hashes, keys and codes never leave. Lines are packed as
they are read, so that what lies in memory is the archive and never the rows of years.
"""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import IO, Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.models import Entry
from audit.protection.service import all_aliases
from consent.rights.queries import FINISH_KIND
from ehr.exports.problems import EXPORT_TOO_LARGE
from ehr.reads.models import Built
from kernel.access import Access
from kernel.problems import refuse
from store.database import Tx
from store.fields import FieldSealError, unseal
from store.keys import KeyRing
from store.person_tables import TABLES, PersonTable, rows_of

# Of the archive as it is packed: a watch for many years. What is larger goes through the operators.
BYTES_MAX: Final = 256 * 1024 * 1024
LOT: Final = 500
_NAMES: Final = (
    "practitioner_name",
    "licence",
    "reader_name",
    "actor_name",
    "actor_licence",
    "actor_salt",
)
_ABOUT: Final = (
    "Mỗi tệp .ndjson là một bảng; mỗi dòng là một bản ghi."
    " danh-sach.json nói bảng nào không có ở đây và vì sao."
    ' Trong ehr_resource.ndjson, "state":"disputed" là điều bạn đã báo không phải của mình.\n'
    "Each .ndjson file is a table, each line a row. danh-sach.json says which tables are left out, and why."
    ' In ehr_resource.ndjson, "state":"disputed" is what you said is not yours.\n'
    "Số tự đo nằm trong thư mục so-do: mỗi loại một tệp, và một tệp tổng theo giờ (-hours).\n"
    "Measurements are in the folder so-do: a file for each kind, and one of its hours (-hours).\n"
)


class Listed(Struct, frozen=True, kw_only=True):
    """A table in the list. left_out: why its rows are not in the archive. kept_after_erasure: why."""

    table: str
    rows: int
    left_out: str | None
    kept_after_erasure: str | None


# Names of files, each with some of its lines; what is of one file comes without another between.
Lots: TypeAlias = AsyncIterator[tuple[str, list[dict[str, Any]]]]


class Packed:
    """An archive that grows. A file is written whole before the next one begins."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._archive = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED)
        self._name = ""
        self._file: IO[bytes] | None = None

    async def add(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Lines of a file, packed in a thread. Refuses an archive that is larger than BYTES_MAX."""
        lines = b"".join(msgspec.json.encode(row, enc_hook=str) + b"\n" for row in rows)
        await asyncio.to_thread(self._write, name, lines)
        if self._buffer.tell() > BYTES_MAX:
            refuse(EXPORT_TOO_LARGE)

    def _write(self, name: str, lines: bytes) -> None:
        if self._file is None or name != self._name:
            self._end()
            self._name, self._file = name, self._archive.open(name, "w", force_zip64=True)
        self._file.write(lines)

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def drop(self) -> None:
        """Nobody gets it."""
        self._end()
        self._archive.close()

    def finished(self, more: Mapping[str, bytes]) -> bytes:
        """The whole archive, with these files too."""
        self._end()
        for name, data in more.items():
            self._archive.writestr(name, data)
        self._archive.close()
        return self._buffer.getvalue()


class Gathered(Struct, frozen=True):
    """The lines, packed, and the list of all tables."""

    packed: Packed
    listed: list[Listed]


async def gather(tx: Tx, keys: KeyRing, access: Access, now: datetime, apart: Lots) -> Gathered:
    """All rows as the person may see them now. apart: files of tables that are in no file of their own name.
    Refuses what is larger than BYTES_MAX."""
    packed, listed = Packed(), []
    masks = await all_aliases(tx, keys, access.patient_id, now)
    try:
        for one in TABLES:
            rows = 0 if one.unseen else await _pack(tx, keys, one, access, now, masks, packed)
            listed.append(
                Listed(table=one.table, rows=rows, left_out=one.unseen, kept_after_erasure=one.kept)
            )
        async for name, lines in apart:
            await packed.add(name, lines)
    except BaseException:
        packed.drop()
        raise
    return Gathered(packed, listed)


async def note_given(tx: Tx, access: Access, now: datetime) -> None:
    """The copy leaves: whoever asked for one has it."""
    await FINISH_KIND.run(tx, access.patient_id, "access", now)


async def _pack(
    tx: Tx,
    keys: KeyRing,
    one: PersonTable,
    access: Access,
    now: datetime,
    masks: Mapping[UUID, str],
    packed: Packed,
) -> int:
    """The rows of one table; how many there are."""
    count, lot = 0, list[dict[str, Any]]()
    async for found in rows_of(tx, one, access.patient_id, now, access.origins):
        row = found if one.chosen else _masked(found, masks)
        lot.append(_shown(keys, one, access.patient_id, row))
        count += 1
        if len(lot) == LOT:
            await packed.add(f"{one.table}.ndjson", lot)
            lot = []
    if lot:
        await packed.add(f"{one.table}.ndjson", lot)
    return count


def _masked(row: dict[str, Any], masks: Mapping[UUID, str]) -> dict[str, Any]:
    """A protected practitioner by the alias; the salt that binds a row of the log to the name goes too."""
    entry = row.get("entry")
    who = row.get("practitioner_id") or row.get("reader") or (entry and _actor_of(entry))
    if who is None or who not in masks:
        return row
    return row | {name: None for name in _NAMES if name in row} | {"practitioner_alias": masks[who]}


def _actor_of(entry: str) -> UUID:
    return msgspec.json.decode(entry, type=Entry).actor.id


def _shown(keys: KeyRing, one: PersonTable, patient_id: UUID, row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _opened(keys, one, patient_id, name, value)
        if name in one.sealed
        else value.hex()
        if isinstance(value, bytes)
        else value
        for name, value in row.items()
    }


def _opened(keys: KeyRing, one: PersonTable, patient_id: UUID, column: str, sealed: bytes | None) -> Any:
    if sealed is None:
        return None
    try:
        return unseal(keys, patient_id, one.table, column, sealed)
    except FieldSealError:
        # A cell that another person's key sealed before a merge: that person's own archive has it.
        return None


def build(gathered: Gathered) -> Built:
    """The archive, with what explains it. In a thread: it may be seconds of work."""
    listed = msgspec.json.format(msgspec.json.encode(gathered.listed), indent=1)
    body = gathered.packed.finished({"DOC-TRUOC.txt": _ABOUT.encode(), "danh-sach.json": listed})
    return Built(body, [("Table", one.table) for one in gathered.listed if one.rows])
