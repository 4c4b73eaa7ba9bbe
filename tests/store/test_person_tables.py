"""No table that holds something of a person is missing from what is erased, kept and exported."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from store import queries
from store.database import Connection
from store.migration_files import shard_columns
from store.person_tables import TABLES
from store.postgres import Server

# Columns that name a person where no list entry does: what stands there is no person of ours or ends by
# itself.
NO_PERSON = {
    ("ehr_quarantine", "proposed_patient_id"): "a proposal of two officers, gone within 180 days",
    ("ehr_case_evidence", "blob_of"): "the person whose case it is",
    ("consultation_picture", "blob_of"): "the person whose question it is",
    ("ehr_resource", "origin_patient_id"): "rows of one book, found by its person",
    ("ehr_head", "moved_to"): "rows of one book, found by its person",
    (
        "ehr_own_document",
        "added_by",
    ): "an id of nobody once its person is gone; it holds others off",
    ("person_alias", "survivor_id"): "the other end is person_origin",
    ("person_origin", "origin_id"): "the other end is person_alias",
}
# Emptied as fast as they fill, or a few rows at a time: read whole.
_MINUTES = "lives for minutes, then housekeeping deletes it"
SMALL = {
    ("delivery", "dependent_id"): "its index holds only the notices about another person",
    ("outbox", "patient_id"): "a queue by bucket: what is there leaves within seconds",
    ("activation", "patient_id"): "lives for a day, then housekeeping deletes it",
    ("activation_code", "patient_id"): "lives for a day, then housekeeping deletes it",
    ("ehr_viewer_ticket", "patient_id"): _MINUTES,
    ("share_code_by_hash", "patient_id"): _MINUTES,
    ("app_authorization", "patient_id"): _MINUTES,
    ("share_link_ticket", "patient_id"): _MINUTES,
    ("sign_in_challenge", "patient_id"): _MINUTES,
    ("phone_proof", "patient_id"): _MINUTES,
    ("guardianship_proposal", "child_id"): "two accounts of one facility: few, and over within days",
    ("guardianship_proposal", "guardian_id"): "two accounts of one facility: few, and over within days",
}
# Names of columns whose uuid is a person's.
PERSON = re.compile(
    r"(\w+_)?patient_id|blob_of|(mother|newborn|guardian|proxy|dependent|child|survivor|merged|origin)_id|moved_to"
    r"|(acked|added)_by"
)
SECRET = re.compile(r"(hash|secret|salt|pepper|token|code|key|sealed|sha256)(_|$)")
# They look like secrets by their names and are none: words, versions, and what the log's proofs are made of.
OPEN = {
    ("partner_disclosure", "payload_sha256"): "the digest of what left, which the person is shown",
    ("referral", "receiver_code"): "the code of a facility",
    ("access_log", "salt"): "part of a row's proof, for its person alone",
    ("access_log", "actor_salt"): "part of a row's proof, for its person alone",
    ("ehr_resource", "code"): "a code of a vocabulary",
    ("ehr_resource", "code_system"): "a vocabulary",
    ("access_request", "code_expires_at"): "a time",
    ("access_request", "code_sent_at"): "a time",
    ("access_request", "code_sends"): "a count",
    ("share_code", "code_id"): "an id that opens nothing",
    ("check_in", "code_id"): "an id that opens nothing",
    ("prescription", "code"): "what the person shows at a pharmacy",
    ("patient_identifier_rev", "key_version"): "a number of four digits",
}


@pytest.fixture(scope="module")
async def catalog(server: Server, database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    yield connection
    await connection.close()


async def columns_of(catalog: Connection) -> dict[str, dict[str, str]]:
    rows = await catalog.fetch(
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


async def test_every_column_that_names_a_person_is_in_the_list(catalog: Connection) -> None:
    listed = {(one.table, one.column) for one in TABLES}
    named = {
        (table, column)
        for table, columns in (await columns_of(catalog)).items()
        for column, kind in columns.items()
        if kind.startswith("uuid") and PERSON.fullmatch(column)
    }
    assert named - listed - set(NO_PERSON) == set(), (
        "say in store/person_tables.py what an erasure does with it"
    )
    assert set(NO_PERSON) - named == set()


async def test_the_list_names_tables_and_columns_that_are_there(catalog: Connection) -> None:
    columns = await columns_of(catalog)
    for one in TABLES:
        assert {one.column, *one.secret, *one.sealed} <= set(columns[one.table]), one.table


async def test_every_statement_over_a_persons_rows_prepares_and_finds_them_by_an_index(
    catalog: Connection,
) -> None:
    """Their SQL is made from the list and stands in no constant that tests/test_sql.py walks; a table without
    such an index would be read whole, on every shard, for each erasure and each archive."""
    leading = {
        (row[0], row[1])
        for row in await catalog.fetch(
            "SELECT i.indrelid::regclass::text, a.attname::text FROM pg_index i"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE i.indpred IS NULL"
        )
    }
    for one in TABLES:
        if one.kept is None:
            apart = shard_columns().get(one.table) != one.column
            await catalog.prepare(queries.delete_of_person(one.table, one.column, one.cleared, apart))
        if one.unseen is None:
            await catalog.prepare(queries.rows_of_person(one.table, one.column, one.only))
    used = {(one.table, one.column) for one in TABLES if one.kept is None or one.unseen is None}
    assert used - leading - set(SMALL) == set()
    assert set(SMALL) <= used


async def test_what_others_point_at_is_deleted_after_them(catalog: Connection) -> None:
    order = {one.table: at for at, one in enumerate(TABLES) if one.kept is None}
    links = await catalog.fetch(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
    )
    wrong = [
        (child, parent)
        for child, parent in links
        if child in order and parent in order and order[child] > order[parent]
    ]
    assert wrong == []
    orphaned = [(c, p) for c, p in links if p in order and c not in order and not c.startswith("access_log")]
    assert orphaned == [], "a table that stays points at one that goes"


async def test_no_secret_is_in_the_export_of_everything(catalog: Connection) -> None:
    columns = await columns_of(catalog)
    shown = [one for one in TABLES if one.unseen is None]
    leaking = {
        (one.table, column)
        for one in shown
        for column, kind in columns[one.table].items()
        if column not in one.secret and column not in one.sealed
        if (SECRET.search(column) or kind == "bytea") and (one.table, column) not in OPEN
        if one.table not in ("access_log", "audit_head") or SECRET.search(column)
    }
    assert leaking == set()


async def test_every_entry_says_why_it_keeps_or_hides() -> None:
    assert len({(one.table, one.column) for one in TABLES}) == len(TABLES)
    assert all(one.kept != "" and one.unseen != "" for one in TABLES)
