"""Making a hand-over: every person's rows and files, what is nobody's, and the signature over all of it."""

import hashlib
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.roots.proofs import roots_after
from healthbook.commands import Signed, sign_act
from healthbook.handover import queries
from healthbook.handover.layout import (
    LISTS,
    OTHERS,
    PEOPLE,
    PUBLIC,
    RECEIPT,
    ROWS,
    SIGNED,
    TABLES,
    TYP,
    HandedFile,
    HandOver,
    HandOverError,
    as_lines,
    noted,
    public_jwk,
    read_list,
    receipt_of,
    refuse_missing,
    sign,
)
from healthbook.handover.packing import Packer, write_list, write_whole, zipped
from healthbook.handover.people import COUNTS, Archives, pages, short_of, tally
from healthbook.handover.rows import clear_row, left_out, of_nobody
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.database import Store, Tx
from store.installation import close, closing, note_handed_over, open_again
from store.keys import SIGNING
from store.models import Closing

# Rows of a table in one sealed file.
LOT: Final = 20_000
# Of which closing, and for whom, what lies there is.
BEGUN: Final = "begun"


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
    archives = Archives(store, directory, recipients)
    counted = (await archives.of_citizens(told), await archives.of_others())
    # Last, so that the acts above stand in the log of operators that is handed over.
    packer, secret = Packer(directory, recipients), secrets.token_bytes(32)
    rows = tally(pages(directory))
    files = await _tables(store, packer, rows)
    files.append(await _public(store, packer))
    files.append(await packer.put(RECEIPT.removesuffix(".age"), secret))
    write_list(directory, "tables.ndjson", files)
    said = await _said(store, directory, recipients, state, signed, counted, rows)
    write_whole(directory / SIGNED, sign(store.keys, TYP, said).encode())
    async with store.transaction() as tx:
        # The secret ends here: from now on nobody but the receiver can make what is noted.
        opened = [*(page.opened for page in pages(directory)), packer.opened.digest()]
        receipt = receipt_of(directory, secret, opened)
        await note_handed_over(tx, noted(directory, receipt))
    shutil.rmtree(directory / COUNTS, ignore_errors=True)
    return said


async def _said(
    store: Store,
    directory: Path,
    recipients: list[str],
    state: Closing,
    signed: Signed,
    counted: tuple[int, int],
    rows: Counter[str],
) -> HandOver:
    """What is signed. Raises StartError where a table holds what was not handed over."""
    lists, files, blobs = _listed(directory)
    async with store.transaction() as tx:
        tables, columns = await queries.TABLES.all(tx), await queries.COLUMNS.all(tx)
        held = {table: await tx.fetchval(queries.count(table)) for table in tables}
    skipped = left_out(tables, columns)
    try:
        refuse_missing(held, rows, skipped)
    except HandOverError as error:
        raise StartError(f"Nothing was signed: {error}") from error
    assert state.closed_at is not None
    return HandOver(
        v=1,
        installation_since=state.created_at,
        closed_at=state.closed_at,
        made_at=SystemClock().now(),
        made_by=signed[0],
        recipients=recipients,
        people=counted[0],
        others=counted[1],
        blobs=blobs,
        lost_blobs=sum([1 async for _ in store.blobs.names()]) - blobs,
        files=files,
        held=held,
        rows=dict(sorted(rows.items())),
        left_out=skipped,
        lists=lists,
        key=public_jwk(store.keys),
    )


def _listed(directory: Path) -> tuple[dict[str, str], int, int]:
    """The digest of each list, how many files they name, and how many of those are blobs; a list at a time:
    all of them are gigabytes."""
    lists, files, blobs = dict[str, str](), 0, 0
    for path in sorted((directory / LISTS).glob("*.ndjson")):
        lists[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        names = [one.name for one in read_list(directory, path.name, None)]
        files, blobs = files + len(names), blobs + sum(map(_is_blob, names))
    return lists, files, blobs


def _is_blob(name: str) -> bool:
    return name.startswith((f"{PEOPLE}/", f"{OTHERS}/")) and not name.endswith(f"/{ROWS}.age")


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


async def _tables(store: Store, packer: Packer, rows: Counter[str]) -> list[HandedFile]:
    """Tables of nobody whole, and of people's tables what names nobody. rows: how many are handed over, to
    which these are added."""
    files = list[HandedFile]()
    async with store.transaction() as tx:
        wanted = {table: queries.all_rows(table) for table in of_nobody(await queries.TABLES.all(tx))}
        wanted |= {
            one.table: queries.rows_of_nobody(one.table, one.column) for one in await short_of(tx, rows)
        }
        for table, sql in wanted.items():
            number = 0
            async for lot in _lots(tx, sql):
                number += 1
                clear = [clear_row(store.keys, table, row) for row in lot]
                files.append(await packer.put(f"{TABLES}/{table}/{number:04d}.ndjson", as_lines(clear)))
                rows[table] += len(clear)
    return files


async def _lots(tx: Tx, sql: str) -> AsyncIterator[list[Mapping[str, Any]]]:
    lot = list[Mapping[str, Any]]()
    async for row in tx.cursor(sql, prefetch=500):
        lot.append(dict(row))
        if len(lot) == LOT:
            yield lot
            lot = []
    if lot:
        yield lot


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
