"""The schema rules of scale.md that lie outside the SQL constants: migrations, SQL that is made from lists,
and what the program says to the database beside statements."""

import ast
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from store import queries
from store.database import Connection
from store.migration_files import read_migrations, shard_columns, standing_tables
from store.person_tables import TABLES
from store.postgres import Server
from tests.support.citus import faults, read_catalog
from tests.support.cluster_forms import BEFORE_THE_FIRST_CLUSTER, form_faults
from tests.support.query_tree import listen, tree_of
from tests.support.sql import FLOORS, ROOT

LATER = [m for m in read_migrations() if m.version > BEFORE_THE_FIRST_CLUSTER]
FILES = [path for package in FLOORS for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.fixture
async def catalog(server: Server, database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    yield connection
    await connection.close()


def test_later_migrations_have_forms_that_a_cluster_takes() -> None:
    found = {(m.name, said) for m in LATER for statement in m.statements for said in form_faults(statement)}
    assert found == set()


async def test_rows_that_later_migrations_change_are_changed_in_a_form_that_a_cluster_takes(
    catalog: Connection,
) -> None:
    known = await read_catalog(catalog, standing_tables(read_migrations()))
    told = await listen(catalog)
    found = {
        (migration.name, said)
        for migration in LATER
        for statement in migration.statements
        if re.match(r"(--[^\n]*\n)*\s*(INSERT|UPDATE|DELETE|WITH)\b", statement)
        for said in faults(await tree_of(catalog, told, statement.rstrip(";")), known, fan_out=True)
    }
    assert found == set()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t BEFORE UPDATE ON citizen EXECUTE FUNCTION f();",
        "CREATE RULE r AS ON DELETE TO citizen DO INSTEAD NOTHING;",
        "CREATE TABLE t (id bigserial PRIMARY KEY);",
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY);",
        "CREATE TYPE mood AS ENUM ('one');",
        "ALTER TABLE t ADD COLUMN a int, ADD CONSTRAINT c CHECK (a > 0);",
        "ALTER TABLE t ADD UNIQUE (a);",
        "ALTER TABLE t ADD COLUMN a int REFERENCES u (a);",
        "ALTER TABLE t ALTER COLUMN a SET STORAGE EXTERNAL;",
        "ALTER TABLE t DETACH PARTITION t_1 CONCURRENTLY;",
        "DROP TABLE t, u;",
        "DO $$ BEGIN PERFORM 1; END $$;",
        "LOCK TABLE t;",
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE;",
        "SELECT pg_advisory_lock(1);",
    ],
)
def test_a_form_that_a_cluster_refuses_is_noticed(statement: str) -> None:
    assert form_faults(statement) != []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a IN (1, 2)) NOT VALID;",
        "ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int;",
        "CREATE TABLE t (note text DEFAULT 'a serial, a trigger');",
        "ALTER TABLE t VALIDATE CONSTRAINT c;",
        "DROP INDEX CONCURRENTLY i;",
    ],
)
def test_a_form_that_a_cluster_takes_is_let_through(statement: str) -> None:
    assert form_faults(statement) == []


async def test_an_exclusion_holds_within_one_shard(catalog: Connection) -> None:
    """Citus: "... that do not include the partition column (with an equality operator if EXCLUDE)"."""
    rows = await catalog.fetch(
        "SELECT c.relname::text, a.attname::text, o.oprname::text FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.conrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]"
        " JOIN pg_operator o ON o.oid = k.conexclop[1] WHERE k.contype = 'x' AND k.conparentid = 0"
    )
    shard = shard_columns()
    assert [tuple(row) for row in rows if row[0] in shard and (row[1], row[2]) != (shard[row[0]], "=")] == []


async def test_shard_columns_take_no_part_in_what_a_default_makes(catalog: Connection) -> None:
    """Ids come from Python: a default would be made on the coordinator, and hides a forgotten column."""
    rows = await catalog.fetch(
        "SELECT table_name::text, column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_default IS NOT NULL"
    )
    shard = shard_columns()
    assert [tuple(row) for row in rows if shard.get(row[0]) == row[1]] == []


async def test_an_erasure_and_an_archive_are_made_in_a_form_that_a_cluster_takes(catalog: Connection) -> None:
    """Their statements are made from store/person_tables.py: a row that lies by another column is found on
    every shard, and no statement over all shards may choose rows by their place."""
    known = await read_catalog(catalog, standing_tables(read_migrations()))
    told = await listen(catalog)
    found = {}
    for one in TABLES:
        made = [queries.rows_of_person(one.table, one.column, one.only)] if one.unseen is None else []
        if one.kept is None:
            apart = shard_columns().get(one.table) != one.column
            made.append(queries.delete_of_person(one.table, one.column, one.cleared, apart))
        for sql in made:
            if said := faults(await tree_of(catalog, told, sql), known, fan_out=True):
                found[sql] = said
    assert found == {}


def test_no_command_tag_is_counted() -> None:
    """On Citus `INSERT 0 1000` says nothing of how many rows were new: what is counted comes by RETURNING."""
    said, used = 0, []
    for path in FILES:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        alone = {node.value for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
                function = node.value.func
                if isinstance(function, ast.Attribute) and function.attr == "execute":
                    said += 1
                    used += [] if node in alone else [f"{path.relative_to(ROOT)}:{node.lineno}"]
    assert said
    assert used == []


# What names a node, a session or a level that a cluster has not; where it may stand, and why.
WORDS = {
    r"\.(constraint_name|table_name|schema_name)\b": set(),  # of an error: none, or with a shard's number
    r"(?i)\b(serializable|repeatable[ _]read)\b|isolation=": set(),
    r"\badd_listener\(|pg_notify|\bLISTEN [a-z]|\bNOTIFY [a-z]": set(),
    r"pg_(try_)?advisory": {"store/queries.py"},  # one runner of migrations, on the coordinator
    r"set_config\('(?!synchronous_commit|plan_cache_mode)": set(),  # the coordinator's own session alone
    r"\bcreate_(distributed|reference)_table\b": {"store/distribute.py"},
}


@pytest.mark.parametrize("word", sorted(WORDS))
def test_nothing_is_said_that_holds_on_one_node_only(word: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in FILES if re.search(word, path.read_text())}
    assert found - set(WORDS[word]) == set()
