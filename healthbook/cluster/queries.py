"""SQL of copying a database: of its catalogue, and made for each table from the names found there."""

from collections.abc import Sequence

from msgspec import Struct

from store.statement import Command, Scalar, Statement


class Column(Struct, frozen=True):
    """hashed: what is compared of it; a point has no hash of its own."""

    on_table: str
    name: str
    hashed: str


# What PostgreSQL fills by itself is not copied; partitions are read through their table.
COLUMNS = Statement(
    Column,
    "SELECT c.relname::text AS on_table, a.attname::text AS name,"
    " a.attname || CASE a.atttypid WHEN 'point'::regtype THEN '::text' ELSE '' END AS hashed FROM pg_class c"
    " JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY c.relname, a.attnum",
)
# A new database says what it is (store/installation.py); the one that is copied says it instead.
DELETE_MARK = Command("DELETE FROM installation")
# The services name themselves so when they sign in (store/database.py).
SERVING = Scalar(
    int,
    "SELECT count(*) AS serving FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'healthbook' AND pid <> pg_backend_pid()",
)


def lock_against_writes(tables: Sequence[str]) -> str:
    """Until the end of the transaction nobody writes; raises at once where somebody is writing now."""
    return f"LOCK TABLE {', '.join(tables)} IN SHARE MODE NOWAIT"


def rows_of(table: str, columns: Sequence[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - names of the catalogue


def digest_of(table: str, hashed: Sequence[str]) -> str:
    """(How many rows, a sum of their digests): the same for the same rows in any order.

    Of each row's values in PostgreSQL's own hash, which is the same in every version, since partitions are
    stored by it, and whatever the session's time zone.
    """
    return (
        f"SELECT count(*), coalesce(sum(hash_record_extended(ROW({', '.join(hashed)}), 0)::numeric), 0)"  # noqa: S608
        f" FROM {table}"
    )


def is_filled(table: str) -> str:
    return f"SELECT EXISTS (SELECT FROM {table})"  # noqa: S608 - a name of the catalogue
