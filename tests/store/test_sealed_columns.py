"""Every cell under a field key is known to what seals it anew, and bound to the place that is given."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from store import queries
from store.blobs import FilesystemBlobs
from store.database import Connection, Store
from store.fields import FieldSealError, header, seal, unseal
from store.keys import KeyRing, add_key
from store.postgres import Server
from store.resealing import PAGE, count_under, reseal_blobs, reseal_page
from store.sealed_columns import COLUMNS, SealedColumn

# What a column of bytes is that is not sealed.
HASHED = re.compile(
    r"(^|_)(hash|hashes|sha256|h|prev|digest|fingerprint|salt|signature|kid|key|spki|person|subject)$"
)
OTHER = {
    ("ehr_resource", "fold_key"): "order of a list",
    ("ehr_signature_block", "block"): "a facility's signature as it came",
    ("facility_certificate", "der"): "a public certificate",
    ("document_signer", "certificate"): "a public certificate",
    ("document_signer", "authority"): "a public certificate",
    ("trust_list", "signer"): "a public certificate",
    ("vital_series", "pack"): "measurements in their packed form",
    ("statistic_person", "person"): "a name under the statistics key",
    ("installation", "handed_over"): "the digest of a hand-over",
}


@pytest.fixture
async def catalog(server: Server, database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    yield connection
    await connection.close()


async def test_s15_every_column_of_bytes_is_sealed_anew_or_says_what_it_is(catalog: Connection) -> None:
    found = {
        (row[0], row[1])
        for row in await catalog.fetch(
            "SELECT c.relname::text, a.attname::text"
            " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND NOT a.attisdropped"
            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.atttypid = 'bytea'::regtype"
        )
    }
    sealed = {(one.table, one.column) for one in COLUMNS}
    assert sealed - found == set()
    unnamed = {one for one in found - sealed - set(OTHER) if HASHED.search(one[1]) is None}
    assert unnamed == set(), "sealed: name it in store/sealed_columns.py; anything else: say here what it is"


async def test_every_statement_over_sealed_cells_prepares(catalog: Connection) -> None:
    for one in COLUMNS:
        await catalog.prepare(queries.cells_under_others(one.table, one.column, one.owner))
        await catalog.prepare(queries.cells_under(one.table, one.column))
        await catalog.prepare(queries.change_cell(one.table, one.column, one.owner))


NOTES = SealedColumn("note_kept", "text", place=("note", "text"))


async def test_s15_cells_are_sealed_anew_page_by_page_and_a_broken_one_holds_up_nobody(
    fresh_store: Store, server: Server, tmp_path: Path
) -> None:
    keys = KeyRing.create(tmp_path / "keys", demo=False)
    people = [uuid4() for _ in range(PAGE // 2)]
    async with fresh_store.transaction() as tx:
        await tx.execute("CREATE TEMP TABLE note_kept (patient_id uuid, text bytea) ON COMMIT DROP")
        made = [(who, seal(keys, who, "note", "text", f"{who} {n}")) for who in people for n in range(3)]
        bad = [(uuid4(), header("0001") + bytes(40)) for _ in range(3)]
        await tx.executemany("INSERT INTO note_kept VALUES ($1, $2)", made + bad)
        assert add_key(tmp_path / "keys", "field") == "0002"
        keys.look()
        moved, broken, since = 0, set[int](), UUID(int=0)
        while True:
            page = await reseal_page(tx, keys, NOTES, since)
            moved += page.moved
            broken.add(page.broken)
            if page.last is None:
                break
            since = page.last
        assert moved == len(made)
        assert max(broken) >= 1
        assert await count_under(tx, NOTES, "0001") == len(bad)
        for who, cell in await tx.fetch("SELECT patient_id, text FROM note_kept"):
            if cell.startswith(header("0002")):
                assert unseal(keys, who, "note", "text", cell).startswith(str(who))
    (tmp_path / "keys" / "field.0001.key").unlink()
    keys.look()
    with pytest.raises(FieldSealError):
        unseal(keys, people[0], "note", "text", made[0][1])


async def test_s15_files_are_encrypted_anew_and_open_without_the_old_key(tmp_path: Path) -> None:
    keys = KeyRing.create(tmp_path / "keys", demo=False)
    blobs, person = FilesystemBlobs(tmp_path / "blobs", keys), uuid4()
    kept = {(await blobs.put(person, data)).blob_id: data for data in (b"%PDF-1.7 a", b"x" * 600_000)}
    assert set((await blobs.key_ids(person)).values()) == {"0001"}
    add_key(tmp_path / "keys", "field")
    keys.look()
    done = await reseal_blobs(blobs, keys, person)
    assert (done.moved, done.broken) == (2, 0)
    assert (await reseal_blobs(blobs, keys, person)).moved == 0
    (tmp_path / "keys" / "field.0001.key").unlink()
    keys.look()
    for blob_id, data in kept.items():
        assert await blobs.get(person, blob_id) == data
