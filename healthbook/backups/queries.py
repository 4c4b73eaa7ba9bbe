"""SQL as hb_backup; it reads positions of the server and nothing of a person."""

from msgspec import Struct

from store.statement import Command, Scalar, Statement


class ServerRow(Struct, frozen=True):
    """Which server it is, its version (180006), how long its segments are, and the timeline it writes."""

    system: str
    version: int
    segment_bytes: int
    segment: str


class SlotRow(Struct, frozen=True):
    """Our replication slot. state: `lost` where the server threw away log that we never had; reached: until
    where the spool has synced it."""

    active: bool
    state: str | None
    reached: str | None


class NodeRow(Struct, frozen=True):
    """One server of a cluster."""

    group: int
    host: str
    port: int


SERVER = Statement(
    ServerRow,
    "SELECT system_identifier::text AS system, current_setting('server_version_num')::int AS version,"
    " (SELECT setting::int FROM pg_settings WHERE name = 'wal_segment_size') AS segment_bytes,"
    " pg_walfile_name(pg_current_wal_flush_lsn()) AS segment FROM pg_control_system()",
)
FLUSHED = Scalar(str, "SELECT pg_current_wal_flush_lsn()::text")
SLOT = Statement(
    SlotRow,
    "SELECT active, wal_status AS state, restart_lsn::text AS reached FROM pg_replication_slots"
    " WHERE slot_name = $1 AND database IS NULL",
)
CREATE_SLOT = Command("SELECT pg_create_physical_replication_slot($1, true)")
DROP_SLOT = Command("SELECT pg_drop_replication_slot($1)")
HAS_NODES = Scalar(bool, "SELECT to_regclass('pg_dist_node') IS NOT NULL")
# Citus's own catalogue and function; both are there where HAS_NODES says so, and nowhere else.
NODES_SQL = (
    "SELECT groupid, nodename, nodeport FROM pg_dist_node"
    " WHERE isactive AND noderole = 'primary' AND groupid > 0 ORDER BY groupid"
)
POINT_SQL = "SELECT citus_create_restore_point($1)"
TABLES = Scalar(
    str,
    "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " ORDER BY relname",
)


def read_all(table: str) -> str:
    """A statement that reads every column of every row, what lies apart from its row among it."""
    quoted = table.replace('"', '""')
    return f'SELECT count(hashtext(t::text)) FROM public."{quoted}" t'  # noqa: S608 - a name of the catalogue
