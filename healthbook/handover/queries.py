"""SQL of the end of an installation, run by an operator as hb_owner."""

from store.statement import Scalar

# As hb_owner one sees the names of other sessions, and no statement of theirs. A stream of the log is of no
# database, and fills a repository again that was emptied.
OTHERS_CONNECTED = Scalar(
    int,
    "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    " AND (datname = current_database() OR backend_type = 'walsender')"
    " AND usename IN ('hb_api', 'hb_delivery', 'hb_signer', 'hb_backup')",
)
TABLES = Scalar(
    str,
    "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
)


def all_rows(table: str) -> str:
    """Every row of a table. The names are those of the catalogue, nobody's input."""
    return f'SELECT * FROM "{table}"'  # noqa: S608


def drop(table: str) -> str:
    """Away with a table and what points at it."""
    return f'DROP TABLE IF EXISTS "{table}" CASCADE'
