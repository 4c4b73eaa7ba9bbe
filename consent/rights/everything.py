"""Everything held about a person in one archive: one file of lines per table, each line a row.

Made from the list that an erasure goes by (store/person_tables.py), so that a new table is in it or says
why not. Sealed columns are opened for their person; hashes, keys and codes never leave.
"""

import asyncio
import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
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

# More than a life's record; what is larger goes through the operators (docs/runbook.md).
BYTES_MAX: Final = 64 * 1024 * 1024
PAUSE_EVERY: Final = 500
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
)


class Listed(Struct, frozen=True, kw_only=True):
    """A table in the list. left_out: why its rows are not in the archive. kept_after_erasure: why."""

    table: str
    rows: int
    left_out: str | None
    kept_after_erasure: str | None


class Gathered(Struct, frozen=True):
    """Lines by file, and the list of all tables."""

    files: dict[str, bytes]
    listed: list[Listed]


async def gather(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Gathered:
    """All rows as the person may see them now. Refuses what is larger than BYTES_MAX."""
    files: dict[str, bytes] = {}
    listed, left = [], BYTES_MAX
    masks = await all_aliases(tx, keys, access.patient_id, now)
    for one in TABLES:
        lines = [] if one.unseen else await _lines(tx, keys, one, access, now, masks, left)
        left -= sum(len(line) for line in lines)
        if lines:
            files[f"{one.table}.ndjson"] = b"".join(lines)
        listed.append(
            Listed(table=one.table, rows=len(lines), left_out=one.unseen, kept_after_erasure=one.kept)
        )
    return Gathered(files, listed)


async def note_given(tx: Tx, access: Access, now: datetime) -> None:
    """The copy leaves: whoever asked for one has it."""
    await FINISH_KIND.run(tx, access.patient_id, "access", now)


async def _lines(
    tx: Tx,
    keys: KeyRing,
    one: PersonTable,
    access: Access,
    now: datetime,
    masks: Mapping[UUID, str],
    left: int,
) -> list[bytes]:
    lines: list[bytes] = []
    async for found in rows_of(tx, one, access.patient_id, now, access.origins):
        row = found if one.chosen else _masked(found, masks)
        lines.append(msgspec.json.encode(_shown(keys, one, access.patient_id, row), enc_hook=str) + b"\n")
        left -= len(lines[-1])
        if left < 0:
            refuse(EXPORT_TOO_LARGE)
        if len(lines) % PAUSE_EVERY == 0:
            # Opening cells is work: others get their turn.
            await asyncio.sleep(0)
    return lines


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
    """The archive, compressed. In a thread: it is seconds of work."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("DOC-TRUOC.txt", _ABOUT)
        archive.writestr(
            "danh-sach.json", msgspec.json.format(msgspec.json.encode(gathered.listed), indent=1)
        )
        for name, data in gathered.files.items():
            archive.writestr(name, data)
    return Built(buffer.getvalue(), [("Table", one.table) for one in gathered.listed if one.rows])
