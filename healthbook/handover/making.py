"""Making a hand-over: every person's rows and files, what is nobody's, and the signature over all of it."""

import asyncio
import hashlib
import io
import os
import secrets
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from audit.roots.proofs import roots_after
from healthbook.commands import Signed, pages_of_people, sign_act
from healthbook.handover import queries
from healthbook.handover.layout import (
    LISTS,
    PEOPLE,
    PUBLIC,
    RECEIPT,
    SIGNED,
    TABLES,
    TYP,
    HandedFile,
    HandOver,
    as_lines,
    noted,
    public_jwk,
    read_list,
    receipt_of,
    sign,
)
from healthbook.handover.rows import clear_row, left_out, of_nobody, of_people
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.blobs import BlobMissingError
from store.database import Store, Tx
from store.installation import close, closing, note_handed_over, open_again
from store.keys import SIGNING
from store.queries import rows_of_person
from store.sealing import read_recipients, seal

# Rows of a table in one sealed file.
LOT: Final = 20_000
# What the finished pages have; of the work alone.
COUNTS: Final = "counts"
# Of which closing, and for whom, what lies there is.
BEGUN: Final = "begun"


class _Page(Struct, frozen=True):
    """rows: how many, by table. opened: as `receipt_of` wants it."""

    rows: dict[str, int]
    opened: bytes


class Packer:
    """Seals and writes files below one directory, each whole or not at all.

    opened: what the receiver finds in the files of this list, as `receipt_of` wants it.
    """

    def __init__(self, root: Path, recipients: list[str]) -> None:
        self._root, self._recipients = root, read_recipients(recipients)
        self.opened = hashlib.sha256()

    async def put(self, name: str, clear: bytes) -> HandedFile:
        """name: without `.age`."""
        self.opened.update(hashlib.sha256(clear).digest())
        return await asyncio.to_thread(self._put, f"{name}.age", clear)

    def _put(self, name: str, clear: bytes) -> HandedFile:
        sealed = seal(clear, self._recipients)
        write_whole(self._root / name, sealed, synced=False)
        return HandedFile(name, len(sealed), hashlib.sha256(sealed).hexdigest())


def write_whole(path: Path, data: bytes, *, synced: bool = True) -> None:
    """On the disk before it has its name; synced: False where a list that comes later waits for the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        if synced:
            os.fsync(file.fileno())
    partial.rename(path)


async def refuse_others(store: Store, tx: Tx) -> None:
    """Raises StartError while anything of the service but this store is connected."""
    others = (await queries.CONNECTED.one(tx) or 0) - store.connections
    if others > 0:
        raise StartError(f"{others} connections of the service are open: stop every process of it first.")


async def close_installation(store: Store, signed: Signed) -> None:
    """From now on nothing starts on this database. Raises StartError while something still runs."""
    async with store.transaction() as tx:
        await refuse_others(store, tx)
        now = SystemClock().now()
        await sign_act(tx, signed, "decommission:close", 1)
        await close(tx, now)


async def reopen_installation(store: Store, signed: Signed) -> None:
    """It goes on after all."""
    async with store.transaction() as tx:
        await sign_act(tx, signed, "decommission:reopen", 1)
        await open_again(tx)


async def hand_over(
    store: Store, directory: Path, recipients: list[str], told: Callable[[int], None], signed: Signed
) -> HandOver:
    """Write everything into a directory, sealed to recipients. Stopped in between, run it again: what is
    whole stays. told: how many people are done since the last call. Raises StartError."""
    async with store.transaction() as tx:
        state = await closing(tx)
        if state is None or state.closed_at is None:
            raise StartError(
                "Run `healthbook decommission close` first: what is handed over must not change."
            )
        # Again, for what started while `close` was at work.
        await refuse_others(store, tx)
        await sign_act(tx, signed, "decommission:hand-over", 1)
    if (directory / SIGNED).exists():
        raise StartError(f"{directory} holds a hand-over that is signed already: name a new directory.")
    _refuse_mixing(directory, f"{state.closed_at.isoformat()} {' '.join(sorted(recipients))}\n")
    people = await _people(store, directory, recipients, told)
    # Last, so that the acts above stand in the log of operators that is handed over.
    packer, secret = Packer(directory, recipients), secrets.token_bytes(32)
    others, tables = await _tables(store, packer)
    others.append(await _public(store, packer))
    others.append(await packer.put(RECEIPT.removesuffix(".age"), secret))
    _write_list(directory, "tables.ndjson", others)
    lists = {path.name: path.read_bytes() for path in sorted((directory / LISTS).glob("*.ndjson"))}
    files = [one for name in lists for one in read_list(directory, name, None)]
    pages = _pages(directory)
    tally = sum((Counter(page.rows) for page in pages), tables)
    async with store.transaction() as tx:
        every = await queries.TABLES.all(tx)
    said = HandOver(
        v=1,
        installation_since=state.created_at,
        closed_at=state.closed_at,
        made_at=SystemClock().now(),
        made_by=signed[0],
        recipients=recipients,
        people=people,
        blobs=sum(one.name.startswith(PEOPLE) and not one.name.endswith("rows.zip.age") for one in files),
        files=len(files),
        rows=dict(sorted(tally.items())),
        left_out=left_out(every),
        lists={name: hashlib.sha256(data).hexdigest() for name, data in lists.items()},
        key=public_jwk(store.keys),
    )
    write_whole(directory / SIGNED, sign(store.keys, TYP, said).encode())
    async with store.transaction() as tx:
        # The secret ends here: from now on nobody but the receiver can make what is noted.
        receipt = receipt_of(directory, secret, [*(page.opened for page in pages), packer.opened.digest()])
        await note_handed_over(tx, noted(directory, receipt))
    shutil.rmtree(directory / COUNTS, ignore_errors=True)
    return said


def _refuse_mixing(directory: Path, of: str) -> None:
    """What a run before this one left is of the same closing, for the same receivers. Raises StartError."""
    begun = directory / COUNTS / BEGUN
    if not begun.exists() and not (directory / LISTS).exists():
        write_whole(begun, of.encode())
    elif not begun.exists() or begun.read_text() != of:
        raise StartError(
            f"{directory} holds a part of another hand-over, to somebody else or of before the service was "
            "opened again: name a new directory."
        )


async def _people(store: Store, directory: Path, recipients: list[str], told: Callable[[int], None]) -> int:
    """A list for each page of people, written when their files are: a page that has one is done."""
    count, number = 0, 0
    async for page in pages_of_people(store):
        number, count = number + 1, count + len(page)
        name = f"people-{number:06d}.ndjson"
        if not (directory / LISTS / name).exists():
            packer, files, rows = Packer(directory, recipients), list[HandedFile](), Counter[str]()
            for patient_id in page:
                files += await _person(store, packer, patient_id, rows)
            made = _Page(rows, packer.opened.digest())
            write_whole(directory / COUNTS / f"{name}.json", msgspec.json.encode(made))
            _write_list(directory, name, files)
        told(len(page))
    return count


async def _person(store: Store, packer: Packer, patient_id: UUID, rows: Counter[str]) -> list[HandedFile]:
    place = f"{PEOPLE}/{patient_id.hex[-2:]}/{patient_id}"
    async with store.transaction() as tx:
        archive = await _archive(tx, store, patient_id, rows)
    files = [await packer.put(f"{place}/rows.zip", archive)]
    for blob_id in await store.blobs.key_ids(patient_id):
        try:
            clear = await store.blobs.get(patient_id, blob_id)
        except BlobMissingError:
            continue
        files.append(await packer.put(f"{place}/{blob_id}", clear))
    return files


async def _archive(tx: Tx, store: Store, patient_id: UUID, rows: Counter[str]) -> bytes:
    made: dict[str, list[dict[str, Any]]] = {}
    now = SystemClock().now()
    for one in of_people():
        sql = rows_of_person(one.table, one.column, None)
        found = await tx.fetch(sql, patient_id, now, list[UUID]())
        if found:
            made.setdefault(one.table, []).extend(
                clear_row(store.keys, one.table, dict(row)) for row in found
            )
    rows.update({table: len(lines) for table, lines in made.items()})
    return await asyncio.to_thread(
        zipped, {f"{name}.ndjson": as_lines(lines) for name, lines in made.items()}
    )


async def _tables(store: Store, packer: Packer) -> tuple[list[HandedFile], Counter[str]]:
    files, rows = list[HandedFile](), Counter[str]()
    async with store.transaction() as tx:
        for table in of_nobody(await queries.TABLES.all(tx)):
            lot, number = list[dict[str, Any]](), 0
            async for row in tx.cursor(queries.all_rows(table), prefetch=500):
                lot.append(clear_row(store.keys, table, dict(row)))
                rows[table] += 1
                if len(lot) == LOT:
                    number += 1
                    files.append(await packer.put(f"{TABLES}/{table}/{number:04d}.ndjson", as_lines(lot)))
                    lot = []
            if lot:
                files.append(await packer.put(f"{TABLES}/{table}/{number + 1:04d}.ndjson", as_lines(lot)))
    return files, rows


async def _public(store: Store, packer: Packer) -> HandedFile:
    """What the receiver verifies signatures with: of artefacts, papers, partners, and roots of the log."""
    keys = store.keys
    made = {
        f"keys/{purpose}.{key_id}.pem": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for purpose in sorted(SIGNING)
        for key_id, key in keys.public_keys(purpose).items()
    }
    since: int | None = 0
    async with store.transaction() as tx:
        while since is not None:
            page = await roots_after(tx, keys, since)
            made[f"roots/{since:010d}.json"] = msgspec.json.encode(page)
            since = page.next
    return await packer.put(PUBLIC.removesuffix(".age"), zipped(made))


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _write_list(directory: Path, name: str, files: list[HandedFile]) -> None:
    os.sync()  # what a list names is on the disk: a run after a crash goes on behind it
    write_whole(directory / LISTS / name, as_lines(files))


def _pages(directory: Path) -> list[_Page]:
    """Those of people, by their names."""
    paths = sorted((directory / COUNTS).glob("*.json"))
    return [msgspec.json.decode(path.read_bytes(), type=_Page) for path in paths]
