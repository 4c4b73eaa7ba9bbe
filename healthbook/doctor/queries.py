"""SQL of the doctor: settings, rights, clocks and queues; no row of anybody."""

from healthbook.doctor.models import Applied, LateTimer, Right, RoleRow, Session, SetAside, Setting
from store.statement import Statement

SETTINGS = Statement(
    Setting, "SELECT n.name, current_setting(n.name, true) AS value FROM unnest($1::text[]) AS n (name)"
)
ROLES = Statement(
    RoleRow,
    "SELECT rolname::text AS name, rolsuper AS superuser, rolcreaterole AS creates_roles,"
    " rolbypassrls AS bypasses_rows FROM pg_roles WHERE rolname = ANY($1::text[])",
)
SESSION = Statement(
    Session,
    """
    SELECT session_user::text AS user, r.rolsuper AS superuser, coalesce(s.ssl, false) AS encrypted,
           current_setting('server_version_num')::integer AS version, clock_timestamp() AS at,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           current_setting('max_connections')::integer AS most
    FROM pg_roles r LEFT JOIN pg_stat_ssl s ON s.pid = pg_backend_pid() WHERE r.rolname = session_user
    """,
)
# Rights that would undo what the program promises; a table that is not there grants nothing.
RIGHTS = Statement(
    Right,
    """
    SELECT n.role, n.name AS table, n.may AS right
    FROM unnest($1::text[], $2::text[], $3::text[]) AS n (role, name, may)
    JOIN pg_roles r ON r.rolname = n.role
    WHERE to_regclass(n.name) IS NOT NULL AND has_table_privilege(n.role, n.name, n.may)
    """,
)
CHORES = Statement(
    LateTimer,
    "SELECT kind, ref, due_at FROM due_queue WHERE kind = $1",
    fan_out="an operator asks now and then whether what has ended is removed",
)
APPLIED = Statement(Applied, "SELECT version, sha256 FROM schema_migration ORDER BY version")
SET_ASIDE = Statement(
    SetAside,
    "SELECT event, count(*) AS count FROM outbox WHERE attempts >= $1 GROUP BY event ORDER BY event",
    fan_out="an operator asks now and then what fails again and again",
)
