"""All SQL of the store."""

from store.models import (
    AppliedMigration,
    Closing,
    Due,
    DueKind,
    Epoch,
    Event,
    ForeignKey,
    IdempotencyRow,
    JournalPosition,
    KeyApart,
    NumberedLine,
    Recovery,
)
from store.statement import Command, Scalar, Statement

INSERT_EVENT = Command(
    "INSERT INTO outbox (bucket, event_id, patient_id, event, ref, available_at, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $6)"
)
CLAIM_EVENTS = Statement(
    Event,
    "DELETE FROM outbox WHERE bucket = $1 AND ctid = ANY(ARRAY("
    "SELECT ctid FROM outbox WHERE bucket = $1 AND available_at <= $2"
    " ORDER BY available_at, event_id LIMIT $3 FOR UPDATE SKIP LOCKED))"
    " RETURNING bucket, event_id, patient_id, event, ref, attempts",
)
POSTPONE_EVENT = Scalar(
    int,
    "UPDATE outbox SET attempts = attempts + 1, available_at = $3"
    " WHERE bucket = $1 AND event_id = $2 RETURNING attempts",
)
BUCKETS_WITH_EVENTS = Scalar(
    int,
    "SELECT DISTINCT bucket FROM outbox WHERE available_at <= $1",
    fan_out="the worker asks once per round which buckets hold work",
)

UPSERT_DUE = Command(
    "INSERT INTO due_queue (bucket, kind, ref, due_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (bucket, kind, ref) DO UPDATE SET due_at = EXCLUDED.due_at"
)
UPSERT_DUE_MANY = Command(
    "INSERT INTO due_queue (bucket, kind, ref, due_at)"
    " SELECT $1, $2, d.ref, d.due_at FROM unnest($3::text[], $4::timestamptz[]) AS d (ref, due_at)"
    " ON CONFLICT (bucket, kind, ref) DO UPDATE SET due_at = EXCLUDED.due_at"
)
INSERT_DUE = Command(
    "INSERT INTO due_queue (bucket, kind, ref, due_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (bucket, kind, ref) DO NOTHING"
)
CLAIM_DUE = Statement(
    Due,
    "DELETE FROM due_queue WHERE bucket = $1 AND ctid = ANY(ARRAY("
    "SELECT ctid FROM due_queue WHERE bucket = $1 AND due_at <= $2 AND ($4::text IS NULL OR kind = $4)"
    " ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED))"
    " RETURNING bucket, due_at, kind, ref",
)
DELETE_DUE = Command("DELETE FROM due_queue WHERE bucket = $1 AND kind = $2 AND ref = $3")
DUE_UNTIL = Statement(
    DueKind,
    "SELECT bucket, kind, min(due_at) AS due_at FROM due_queue WHERE due_at <= $1 GROUP BY bucket, kind",
    fan_out="the worker asks once per round which buckets hold work",
)

DELETE_OLD_IDEMPOTENCY = Command("DELETE FROM idempotency_key WHERE actor_id = $1 AND created_at <= $2")
FORGET_IDEMPOTENCY = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT actor_id FROM idempotency_key WHERE created_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM idempotency_key WHERE created_at < $1"
    " AND actor_id IN (SELECT actor_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
TAKE_LEASE = Scalar(
    bool,
    "INSERT INTO work_lease AS l (actor_id, kind, token, lease_until) VALUES ($1, $2, $3, $5)"
    " ON CONFLICT (actor_id, kind) DO UPDATE SET token = EXCLUDED.token, lease_until = EXCLUDED.lease_until"
    " WHERE l.lease_until <= $4 RETURNING true AS taken",
)
RENEW_LEASE = Command(
    "UPDATE work_lease SET lease_until = $4 WHERE actor_id = $1 AND kind = $2 AND token = $3"
)
FREE_LEASE = Command("DELETE FROM work_lease WHERE actor_id = $1 AND kind = $2 AND token = $3")
FORGET_LEASES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT actor_id FROM work_lease WHERE lease_until < $1 LIMIT $2),"
    " gone AS (DELETE FROM work_lease WHERE lease_until < $1"
    " AND actor_id IN (SELECT actor_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what killed processes left, wherever it lies",
)
COUNT_IDEMPOTENCY = Scalar(int, "SELECT count(*) FROM idempotency_key WHERE actor_id = $1")
INSERT_IDEMPOTENCY = Scalar(
    bool,
    "INSERT INTO idempotency_key (actor_id, route, idempotency_key, digest_key_id, digest, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (actor_id, route, idempotency_key) DO NOTHING RETURNING true",
)
LOCK_IDEMPOTENCY = Statement(
    IdempotencyRow,
    "SELECT digest_key_id, digest, status, created_id FROM idempotency_key"
    " WHERE actor_id = $1 AND route = $2 AND idempotency_key = $3 FOR UPDATE",
)
FINISH_IDEMPOTENCY = Command(
    "UPDATE idempotency_key SET status = $4, created_id = $5"
    " WHERE actor_id = $1 AND route = $2 AND idempotency_key = $3"
)

INSERT_INSTALLATION = Scalar(
    bool,
    "INSERT INTO installation (singleton, demo, created_at, server) VALUES (true, $1, $2, $3)"
    " ON CONFLICT (singleton) DO NOTHING RETURNING demo",
)
CLOSING = Statement(Closing, "SELECT created_at, closed_at, handed_over FROM installation")
CLOSE_INSTALLATION = Command("UPDATE installation SET closed_at = $1 WHERE closed_at IS NULL")
OPEN_INSTALLATION = Command("UPDATE installation SET closed_at = NULL, handed_over = NULL")
NOTE_HANDED_OVER = Command("UPDATE installation SET handed_over = $1 WHERE closed_at IS NOT NULL")
INSTALLATION_DEMO = Scalar(bool, "SELECT demo FROM installation")
# Of the server that is asked; never with a table beside it, which a worker of a cluster could answer for.
SERVER = Scalar(
    str,
    "SELECT system_identifier || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)"
    " FROM pg_control_system()",
)
INSTALLATION_SERVER = Scalar(str, "SELECT server FROM installation")
SET_INSTALLATION_SERVER = Command("UPDATE installation SET server = $1")

NEWEST_EPOCH = Statement(Epoch, "SELECT number, started_at FROM security_epoch ORDER BY number DESC LIMIT 1")
INSERT_EPOCH = Command("INSERT INTO security_epoch (number, started_at) VALUES ($1, $2)")

# The row's lock is what orders the journal: a number is seen only after the one before it.
NEXT_JOURNAL_SEQ = Statement(
    JournalPosition,
    "INSERT INTO journal_position AS p (singleton, seq, h, beat) VALUES (true, 1, $1, 0)"
    " ON CONFLICT (singleton) DO UPDATE SET seq = p.seq + 1 RETURNING seq, h, beat",
)
BEAT = Statement(
    JournalPosition,
    "INSERT INTO journal_position AS p (singleton, seq, h, beat) VALUES (true, 0, $1, 1)"
    " ON CONFLICT (singleton) DO UPDATE SET beat = p.beat + 1 RETURNING seq, h, beat",
)
JOURNAL_POSITION = Statement(JournalPosition, "SELECT seq, h, beat FROM journal_position")
SET_JOURNAL_HASH = Command("UPDATE journal_position SET h = $1")
SET_JOURNAL_POSITION = Command(
    "INSERT INTO journal_position (singleton, seq, h, beat) VALUES (true, $1, $2, $3)"
    " ON CONFLICT (singleton) DO UPDATE SET seq = EXCLUDED.seq, h = EXCLUDED.h, beat = EXCLUDED.beat"
)
INSERT_JOURNAL_LINE = Command("INSERT INTO journal_line (seq, patient_id, line) VALUES ($1, $2, $3)")
JOURNAL_LINES = Statement(NumberedLine, "SELECT seq, line FROM journal_line ORDER BY seq LIMIT $1")
DELETE_JOURNAL_LINES = Command("DELETE FROM journal_line WHERE seq <= $1")
UNWRITTEN_OF = Scalar(int, "SELECT seq FROM journal_line WHERE patient_id = $1 LIMIT 1")
OPEN_RECOVERY = Statement(
    Recovery, "SELECT epoch, began_at, next_seq, replayed FROM recovery WHERE finished_at IS NULL LIMIT 1"
)
INSERT_RECOVERY = Command("INSERT INTO recovery (epoch, began_at, next_seq, replayed) VALUES ($1, $2, $3, 0)")
ADVANCE_RECOVERY = Command("UPDATE recovery SET next_seq = $2, replayed = replayed + $3 WHERE epoch = $1")
FINISH_RECOVERY = Command("UPDATE recovery SET finished_at = $2 WHERE epoch = $1")

CREATE_SCHEMA_MIGRATION = Command(
    "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, name text NOT NULL,"
    " sha256 bytea NOT NULL, applied_at timestamptz NOT NULL)"
)
APPLIED_MIGRATIONS = Statement(
    AppliedMigration, "SELECT version, name, sha256 FROM schema_migration ORDER BY version"
)
INSERT_MIGRATION = Command(
    "INSERT INTO schema_migration (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)"
)
MIGRATION_LOCK = Command("SELECT pg_advisory_lock($1)")
MIGRATION_UNLOCK = Command("SELECT pg_advisory_unlock($1)")
HAS_CITUS = Scalar(bool, "SELECT to_regclass('pg_dist_partition') IS NOT NULL AS cluster")
# Citus's own catalogue and functions: no statements of ours, for plain PostgreSQL knows none of it.
NODE_SQL = (
    "SELECT substring(citus_version() FROM 'Citus ([0-9]+[.][0-9]+)'),"
    " (SELECT groupid FROM pg_dist_local_group),"
    " (SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards AND noderole = 'primary')"
)
PLACED_SQL = (
    "SELECT c.relname::text,"
    " CASE p.partmethod WHEN 'h' THEN column_to_column_name(p.logicalrelid, p.partkey) END,"
    " p.colocationid FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid"
    " WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
    " AND (p.partmethod = 'h' OR p.repmodel = 't')"
)
FOREIGN_KEYS = Statement(
    ForeignKey,
    "SELECT f.relname::text AS on_table, k.conname::text AS name, t.relname::text AS to_table,"
    " pg_get_constraintdef(k.oid) AS definition FROM pg_constraint k"
    " JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid"
    " WHERE k.contype = 'f' AND k.conparentid = 0 AND k.connamespace = 'public'::regnamespace"
    " ORDER BY f.relname, k.conname",
)
NOTE_KEY_APART = Command("INSERT INTO foreign_key_apart (on_table, name, definition) VALUES ($1, $2, $3)")
KEYS_APART = Statement(
    KeyApart, "SELECT on_table, name, definition FROM foreign_key_apart ORDER BY on_table, name"
)
ANY_KEY_APART = Scalar(bool, "SELECT EXISTS (SELECT FROM foreign_key_apart) AS apart")
FORGET_KEY_APART = Command("DELETE FROM foreign_key_apart WHERE on_table = $1 AND name = $2")
ROLES_WITHOUT_LOGIN = Scalar(
    str, "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1::text[]) AND NOT rolcanlogin ORDER BY 1"
)
ROLES_UNFILTERED = Scalar(
    str, "SELECT rolname::text FROM pg_roles WHERE 'citus.override_table_visibility=off' = ANY(rolconfig)"
)
EXISTING_ROLES = Scalar(str, "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1::text[])")


def is_filled(table: str) -> str:
    """Whether a table of ours holds anything."""
    return f"SELECT EXISTS (SELECT FROM {table})"  # noqa: S608 - a name from a migration's header


def delete_of_person(table: str, column: str, cleared: bool, apart: bool) -> str:
    """A batch of $2 rows of the person $1; cleared: they stay without the id. apart: they lie by another
    column, on whatever shards, where no statement may choose rows by their place: all at once.

    The names are those of store/person_tables.py, nobody's input. No constant, for there would be one a
    table: tests/store/test_person_tables.py prepares each of these.
    """
    verb = f"UPDATE {table} SET {column} = NULL" if cleared else f"DELETE FROM {table}"  # noqa: S608
    if apart:
        return f"{verb} WHERE {column} = $1 AND $2::int IS NOT NULL RETURNING 1"
    return (
        f"{verb} WHERE {column} = $1"  # noqa: S608
        f" AND ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {column} = $1 LIMIT $2)) RETURNING 1"
    )


def rows_of_person(table: str, column: str, only: str | None) -> str:
    """Rows of the person $1 as they are seen at $2 with the merged persons $3."""
    return (
        f"SELECT t.* FROM {table} t WHERE t.{column} = $1 AND ({only or 'true'})"  # noqa: S608
        " AND ($2::timestamptz IS NOT NULL AND $3::uuid[] IS NOT NULL)"
    )


def cells_under_others(table: str, column: str, owner: str) -> str:
    """(owner, cell) of at most $3 cells that do not begin with $1, from owner $2 on, in the order of owners.

    The names are those of store/sealed_columns.py, nobody's input, and tests/store/test_sealed_columns.py
    prepares each of these.
    """
    return (
        f"SELECT {owner}, {column} FROM {table}"  # noqa: S608
        f" WHERE substring({column} FROM 1 FOR length($1::bytea)) <> $1 AND {owner} >= $2"
        f" ORDER BY {owner} LIMIT $3"
    )


def cells_under(table: str, column: str) -> str:
    """How many cells begin with $1."""
    return (
        f"SELECT count(*) FROM {table}"  # noqa: S608
        f" WHERE substring({column} FROM 1 FOR length($1::bytea)) = $1"
    )


def change_cell(table: str, column: str, owner: str) -> str:
    """Put $3 where $2 of owner $1 still stands: what was written meanwhile stays."""
    return f"UPDATE {table} SET {column} = $3 WHERE {owner} = $1 AND {column} = $2"  # noqa: S608
