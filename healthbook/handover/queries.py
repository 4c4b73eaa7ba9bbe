"""SQL of the end of an installation, run by an operator as hb_owner."""

from uuid import UUID

from store.statement import Scalar

# Every store names itself (store/database.py), ours too; who signs in for it is the deployment's affair. As
# hb_owner one sees the names of other sessions, and no statement of theirs. A stream of the log is of no
# database, and fills a repository again that was emptied.
CONNECTED = Scalar(
    int,
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND (application_name = 'healthbook'"
    " OR usename IN ('hb_api', 'hb_delivery', 'hb_signer', 'hb_backup')) OR backend_type = 'walsender'",
)
SLOT = Scalar(str, "SELECT slot_name::text FROM pg_replication_slots WHERE slot_name = $1")
TABLES = Scalar(
    str,
    "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
)

COLUMNS = Scalar(
    str,
    "SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
)
CITIZENS_AMONG = Scalar(
    UUID,
    "SELECT patient_id FROM citizen WHERE patient_id = ANY($1::uuid[])",
    fan_out="an end walks over everything once",
)


def count(table: str) -> str:
    """How many rows a table has."""
    return f'SELECT count(*) FROM "{table}"'  # noqa: S608


def owners(table: str, column: str) -> str:
    """Everybody whose rows a table has."""
    return f'SELECT DISTINCT {column} FROM "{table}" WHERE {column} IS NOT NULL'  # noqa: S608


def rows_of_nobody(table: str, column: str) -> str:
    """A table's rows that name nobody."""
    return f'SELECT * FROM "{table}" WHERE {column} IS NULL'  # noqa: S608


def all_rows(table: str) -> str:
    """Every row of a table. The names are those of the catalogue, nobody's input."""
    return f'SELECT * FROM "{table}"'  # noqa: S608


def drop(table: str) -> str:
    """Away with a table and what points at it."""
    return f'DROP TABLE IF EXISTS "{table}" CASCADE'
