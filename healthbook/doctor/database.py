"""What the database server is set to, whom it lets do what, and whether its tables are this program's."""

from datetime import datetime, timedelta
from typing import Final

from healthbook.doctor import queries
from healthbook.doctor.findings import Finding
from healthbook.doctor.models import Session
from healthbook.settings import Settings
from healthbook.start_check import is_remote
from store.database import Tx
from store.migration_files import read_migrations
from store.postgres import LOG_SETTINGS

# Acknowledged is committed and synced; a torn page is seen; nothing writes parameters by another way.
SAFE_SETTINGS: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
    "data_checksums": ("on",),
}
VERSION_MIN: Final = 150_000
CLOCK_APART_MAX: Final = timedelta(seconds=2)
PROGRAM_ROLES: Final = ("hb_owner", "hb_api", "hb_delivery", "hb_stats", "hb_backup", "hb_signer")
# As grants.sql promises: logs are only added to, who delivers reads no record, who counts sees nobody.
FORBIDDEN: Final = (
    *(("hb_api", "access_log", right) for right in ("UPDATE", "DELETE", "TRUNCATE")),
    *(("hb_api", "admin_event", right) for right in ("UPDATE", "DELETE", "TRUNCATE")),
    *(("hb_api", "audit_root", right) for right in ("UPDATE", "DELETE", "TRUNCATE")),
    *(("hb_delivery", table, "SELECT") for table in ("ehr_resource", "ehr_history", "access_log")),
    *(("hb_stats", table, "SELECT") for table in ("ehr_resource", "citizen", "access_log")),
    ("hb_signer", "ehr_resource", "SELECT"),
)


async def log_faults(tx: Tx) -> list[Finding]:
    """Settings of the server by which its log would hold rows, keys and parameters (S22)."""
    found = []
    for one in await queries.SETTINGS.all(tx, list(LOG_SETTINGS)):
        wanted = LOG_SETTINGS[one.name]
        if one.value not in (wanted, f"{wanted}B"):
            found.append(
                Finding(
                    name="server-log",
                    what=f"The server has {one.name} = {one.value}.",
                    why="Its log would hold rows, codes and names of whatever statement fails or is slow "
                    "(S22).",
                    do=f"Set {one.name} = {wanted} on this server (docker/compose.yaml has all of them), "
                    "reload it, "
                    "and destroy the logs written so far.",
                )
            )
    return [*found, *await _plans_in_log(tx)]


async def _plans_in_log(tx: Tx) -> list[Finding]:
    # Which modules a server loads only a superuser may read; a setting of the module's own everybody may.
    (loaded,) = await queries.SETTINGS.all(tx, ["auto_explain.log_min_duration"])
    if loaded.value in (None, "-1"):
        return []
    return [
        Finding(
            name="server-log",
            what=f"The server has auto_explain.log_min_duration = {loaded.value}.",
            why="It writes plans with the values of the statement into the server's log (S22).",
            do="Set it to -1 and reload; slow statements: `healthbook slow-queries`.",
        )
    ]


async def unsafe_settings(tx: Tx) -> list[Finding]:
    """Settings by which an acknowledged write can be lost, or a damaged page be taken for a sound one."""
    return [
        Finding(
            name="server-not-durable",
            what=f"The server has {one.name} = {one.value}.",
            why="What was answered as done can be gone after a crash, or damage of a disk stays unseen.",
            do="Set it on; data_checksums is set by `pg_checksums --enable` while the server is stopped.",
        )
        for one in await queries.SETTINGS.all(tx, list(SAFE_SETTINGS))
        if one.value not in SAFE_SETTINGS[one.name]
    ]


async def statement_counts(tx: Tx) -> list[Finding]:
    """Without the counts of statements nobody sees which is slow; with utility commands they hold "
    "passwords."""
    track = "pg_stat_statements.track_utility"
    (utility,) = await queries.SETTINGS.all(tx, [track])
    if utility.value is None:
        return [
            Finding(
                name="no-statement-counts",
                what="The server does not load pg_stat_statements.",
                why="The server's log tells of no statement (S22), so nothing says which of them is slow.",
                do="Put it into shared_preload_libraries, restart, and as superuser in the database: "
                "CREATE EXTENSION pg_stat_statements; GRANT pg_read_all_stats TO hb_owner.",
            )
        ]
    if utility.value == "off":
        return []
    return [
        Finding(
            name="passwords-in-statistics",
            what=f"The server has {track} = {utility.value}.",
            why="Commands such as ALTER ROLE … PASSWORD '…' are kept there word for word.",
            do=f"Set {track} = off and reload; as superuser: SELECT pg_stat_statements_reset().",
        )
    ]


async def session_of(tx: Tx) -> Session:
    session = await queries.SESSION.one(tx)
    assert session is not None, "a session has its own role"
    return session


async def role_faults(tx: Tx, session: Session) -> list[Finding]:
    """Roles that may do more than grants.sql says (S21)."""
    found = []
    if session.superuser:
        found.append(
            Finding(
                name="superuser",
                what=f"DATABASE_URL signs in as the superuser {session.user}.",
                why="No right of a table holds for a superuser: the access log could be rewritten (S21).",
                do="Sign in as hb_api (docker/postgres/roles.sh makes the roles) and keep the superuser "
                "for the host.",
            )
        )
    there = await queries.ROLES.all(tx, list(PROGRAM_ROLES))
    found += [
        Finding(
            name="role-too-strong",
            what=f"{one.name} is superuser, makes roles or passes by row security.",
            why="It may then read and change what its rights keep it from (S21).",
            do=f"As superuser: ALTER ROLE {one.name} NOSUPERUSER NOCREATEROLE NOBYPASSRLS.",
        )
        for one in there
        if one.superuser or one.creates_roles or one.bypasses_rows
    ]
    missing = [name for name in PROGRAM_ROLES if name not in {one.name for one in there}]
    if missing:
        found.append(
            Finding(
                name="role-missing",
                what=f"The server has no role {', '.join(missing)}.",
                why="What runs as that role cannot start, or would run as a stronger one.",
                do="`healthbook migrate` with a DATABASE_OWNER_URL that may create roles, or "
                "docker/postgres/roles.sh.",
            )
        )
    return [*found, *await _rights_too_many(tx)]


async def _rights_too_many(tx: Tx) -> list[Finding]:
    roles, tables, rights = (list(column) for column in zip(*FORBIDDEN, strict=True))
    return [
        Finding(
            name="right-too-many",
            what=f"{one.role} has {one.right} on {one.table}.",
            why="Logs may only be added to, and records are read by nobody but hb_api (S21).",
            do=f"REVOKE {one.right} ON {one.table} FROM {one.role}, then `healthbook migrate`, which sets "
            "all rights.",
        )
        for one in await queries.RIGHTS.all(tx, roles, tables, rights)
    ]


async def migration_faults(tx: Tx) -> list[Finding]:
    """Tables that are older or newer than this program, or were made by changed files."""
    ours = {one.version: one for one in read_migrations()}
    there = {one.version: one for one in await queries.APPLIED.all(tx)}
    missing = [ours[version].name for version in sorted(ours.keys() - there.keys())]
    newer = sorted(there.keys() - ours.keys())
    changed = [ours[v].name for v in sorted(ours.keys() & there.keys()) if ours[v].sha256 != there[v].sha256]
    found = []
    if missing:
        found.append(
            Finding(
                name="migrations-missing",
                what=f"{len(missing)} migrations are not applied, from {missing[0]} on.",
                why="This program asks for tables and columns that are not there.",
                do="`healthbook migrate`.",
            )
        )
    if newer:
        found.append(
            Finding(
                name="program-older",
                what=f"The database has {len(newer)} migrations that this program does not know.",
                why="A newer version runs beside this one, or this one was put back: that works for one "
                "release alone.",
                do="Finish the update: start the newer version everywhere (runbook, updating).",
            )
        )
    if changed:
        found.append(
            Finding(
                name="migrations-changed",
                what=f"Applied files differ from this program's: {', '.join(changed[:5])}.",
                why="The tables may not be what the program was tested with.",
                do="Install the program from its release again; if that has the same files, ask its makers.",
            )
        )
    return found


def session_faults(settings: Settings, session: Session, now: datetime) -> list[Finding]:
    """The server's age, its clock against ours, the way there, and whether all processes find a "
    "connection."""
    found = []
    if session.version < VERSION_MIN:
        found.append(
            Finding(
                name="server-too-old",
                what=f"The server is PostgreSQL {session.version // 10_000}.",
                why="This program is tested from 15 on.",
                do="Upgrade the server.",
            )
        )
    if abs(now - session.at) > CLOCK_APART_MAX:
        ahead = (now - session.at).total_seconds()
        found.append(
            Finding(
                name="clocks-apart",
                what=f"This machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} "
                "the server's.",
                why="Codes, grants and terms are written by one clock and judged by another.",
                do="Keep both with NTP (chrony or systemd-timesyncd), then look again.",
            )
        )
    if settings.database_url and is_remote(settings.database_url) and not session.encrypted:
        found.append(
            Finding(
                name="database-in-clear",
                what="The connection to another machine's database is not encrypted.",
                why="Whoever sees that network reads every record and the password.",
                do="Add sslmode=verify-full and sslrootcert=… to DATABASE_URL; a network of containers on "
                "one "
                "host is the one exception.",
            )
        )
    return [*found, *_few_connections(settings, session)]


def _few_connections(settings: Settings, session: Session) -> list[Finding]:
    # Each API process has a pool; a worker has two.
    wanted = (settings.workers + 2) * settings.pool_max
    if wanted <= session.most and session.used <= session.most * 0.9:
        return []
    return [
        Finding(
            name="connections-few",
            what=f"max_connections is {session.most}, {session.used} are taken; one `serve` with these "
            "settings "
            f"and one worker take up to {wanted}.",
            why="Who finds no connection waits and then gets 503.",
            do="Raise max_connections, lower POOL_MAX, or put pgbouncer in between.",
        )
    ]
