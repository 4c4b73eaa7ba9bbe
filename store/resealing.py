"""Sealing anew under the current field key what an older one sealed: cells, and the files of a person.

Runs while the service does. A cell is replaced where it still stands as it was read, so a change that
somebody makes meanwhile wins; a file is replaced whole, and a reader in the middle of the old one reads on. A
file that is deleted between its reading and its writing comes back without a row: under the current key, in
its person's directory, and gone with the person.
"""

from uuid import UUID

from msgspec import Struct

from store import queries
from store.blobs import BlobError, BlobMissingError, BlobStore, BlobUnavailableError
from store.database import Tx
from store.fields import FieldSealError, header, seal, unseal
from store.keys import KeyRing
from store.sealed_columns import SealedColumn

PAGE = 500


class Resealed(Struct, frozen=True):
    """What a page did. last: from which owner the next goes on; None: this was the last page. broken: what
    does not open, and stays as it is."""

    last: UUID | None
    moved: int
    broken: int


async def reseal_page(tx: Tx, keys: KeyRing, one: SealedColumn, since: UUID) -> Resealed:
    """Seal at most PAGE cells of a column anew."""
    key_id, _ = keys.secret("field")
    sql = queries.cells_under_others(one.table, one.column, one.owner)
    rows = await tx.fetch(sql, header(key_id), since, PAGE)
    moved = broken = 0
    for owner, cell in rows:
        try:
            text = unseal(keys, owner, *one.bound_to, cell)
        except FieldSealError:
            broken += 1
            continue
        change = queries.change_cell(one.table, one.column, one.owner)
        await tx.execute(change, owner, cell, seal(keys, owner, *one.bound_to, text))
        moved += 1
    if len(rows) < PAGE:
        return Resealed(last=None, moved=moved, broken=broken)
    last: UUID = rows[-1][0]
    # Broken cells are met again: a page of nothing else has to be stepped over.
    return Resealed(last=last if moved else UUID(int=last.int + 1), moved=moved, broken=broken)


async def count_under(tx: Tx, one: SealedColumn, key_id: str) -> int:
    """How many cells of a column are still sealed under a key."""
    return int(await tx.fetchval(queries.cells_under(one.table, one.column), header(key_id)))


async def reseal_blobs(blobs: BlobStore, keys: KeyRing, patient_id: UUID) -> Resealed:
    """Encrypt a person's files anew that lie under another key."""
    key_id, _ = keys.secret("field")
    moved = broken = 0
    for blob_id, under in (await blobs.key_ids(patient_id)).items():
        if under == key_id:
            continue
        try:
            await blobs.put_stream(patient_id, blobs.get_stream(patient_id, blob_id), blob_id)
        except BlobMissingError:
            continue  # its person let it go since it was listed
        except BlobUnavailableError:
            raise
        except BlobError:
            broken += 1
            continue
        moved += 1
    return Resealed(last=None, moved=moved, broken=broken)
