"""The embedded PostgreSQL: made on first use, started as our child, stopped with us.

Nobody signs in as a superuser: roles and the database are made in single-user mode, without a
socket, and pg_hba refuses `postgres` from then on. The program's roles sign in over a socket in a
0700 directory with passwords that lie beside the data, readable by the owner only. `peer` would
not do: in a user namespace every foreign uid looks like `nobody` (security.md S21).
"""

import fcntl
import hashlib
import math
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec

from store.postgres_binaries import Binaries, PostgresError, can_count, find_binaries
from store.postgres_user import RunAs, die_with_parent, run_as

ROLES = ("hb_owner", "hb_api", "hb_delivery", "hb_stats", "hb_backup", "hb_signer")
DATABASE = "healthbook"
PORT = 5432
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
POLL_SECONDS = 0.005
_ENDING = {signal.SIGINT, signal.SIGTERM}
LOG_BYTES_MAX = 16 * 1024 * 1024
_SOCKET_PATH_MAX = 90
# Where a path too long for a socket is made short.
_SHORT = "/tmp"  # noqa: S108 - what stands there is looked at before it is used

# A failing statement must leave no row, key or parameter in the server's log (security.md S22).
# `log_min_messages` goes further than S22's list: the bare message of a failed cast or a syntax
# error quotes the value, so errors of statements are not logged here at all; the program logs
# their class and SQLSTATE.
LOG_SETTINGS = {
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_lock_waits": "off",
}
_SETTINGS = LOG_SETTINGS | {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "logging_collector": "off",
    # A backup that stopped must not fill the disk: past this it begins again with a whole copy.
    "max_slot_wal_keep_size": "16GB",
}
# Which statements are slow, without their values; commands such as ALTER ROLE … PASSWORD would keep theirs.
_COUNTING = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_utility": "off"}
# In a database of its own, so that no dump of ours holds an extension that only a superuser can make.
_COUNTS = (
    "CREATE EXTENSION IF NOT EXISTS pg_stat_statements",
    "GRANT CONNECT ON DATABASE postgres TO hb_owner",
    "GRANT pg_read_all_stats TO hb_owner",
)
STATISTICS_DATABASE = "postgres"
_HBA = "local all postgres reject\nlocal all all scram-sha-256\nlocal replication hb_backup scram-sha-256\n"
# The role that copies the server speaks its replication protocol.
_COPIES = "ALTER ROLE hb_backup REPLICATION"


class Server:
    """A running PostgreSQL. `owned` says whether this process started it and therefore stops it."""

    def __init__(
        self,
        directory: Path,
        socket_directory: Path,
        process: subprocess.Popen[bytes] | None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.log = directory / "postgresql.log"
        self._directory = directory
        self._settings = settings
        self._socket_directory = socket_directory
        self._passwords = _passwords(directory)
        self._process = process

    @property
    def owned(self) -> bool:
        return self._process is not None

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """The address for one of ROLES. It holds a password: never log it."""
        host = quote(str(self._socket_directory), safe="")
        return f"postgresql://{role}:{self._passwords[role]}@/{database}?host={host}&port={PORT}"

    @property
    def pid(self) -> int | None:
        """Its first process, where this process started it."""
        return None if self._process is None else self._process.pid

    def start_again(self) -> None:
        """After an end that nobody asked for, at the same place. From the main thread, as start_server.

        Raises PostgresError, also where those who were connected would not find it, or another process was
        first: when that one ended, we would not hear of it.
        """
        if self._process is not None:
            self._process.wait()
        fresh = start_server(self._directory, self._settings)
        self._process = fresh._process
        if not fresh.owned or fresh._socket_directory != self._socket_directory:
            raise PostgresError(f"PostgreSQL could not be started in {self._socket_directory}")

    def stop(self) -> None:
        """Stop the server if it is ours: open transactions roll back, everything committed stays."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        self._process.wait(STOP_SECONDS_MAX)


def start_server(directory: Path, settings: dict[str, str] | None = None) -> Server:
    """Start (first make) the PostgreSQL under `directory`, or share the one that already runs there.

    Call it from the main thread: the kernel ties the server's life to the thread that starts it.
    `settings` are further server settings, for tests. Raises PostgresError.
    """
    if threading.current_thread() is not threading.main_thread():
        raise PostgresError("PostgreSQL must be started from the main thread")
    directory = directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    cluster = directory / "cluster"
    with _locked(directory / "lock"):
        if not cluster.exists():
            user = run_as(find_binaries(), directory)
            _make_cluster(directory, cluster, user)
        running = _running(cluster)
        if running is not None:
            return Server(directory, running, None)
        _end_orphans(cluster)
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        _add_missing_roles(directory, cluster)
        _let_copy(directory, cluster)
        return _start(directory, cluster, settings or {})


def replay(directory: Path, restored: Path, settings: dict[str, str]) -> None:
    """Let a copied cluster at `restored` replay its log, give its roles new passwords, put it in its place.

    settings: where the log is and where to stop. However long it takes. Call it from the main thread. Raises
    PostgresError where the log does not lead there, or where a cluster is in that place.
    """
    cluster = directory / "cluster"
    with _locked(directory / "lock"):
        if cluster.exists():
            raise PostgresError(f"{cluster} is there: nothing is put over it")
        user = run_as(_binaries_for(restored), directory)
        if user.owner_uid is not None:
            directory.chmod(0o711)
            for path in (restored, *restored.rglob("*")):
                os.chown(path, user.owner_uid, user.owner_uid)
        passwords = {role: secrets.token_urlsafe(32) for role in ROLES}
        _keep_passwords(directory, passwords)
        (restored / "pg_hba.conf").write_text(_HBA)
        _start(directory, restored, settings, seconds=math.inf).stop()
        _run(_single_user(user.binaries, restored, "postgres"), user, _renewed_roles(passwords))
        restored.rename(cluster)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "a") as lock:
        os.fchmod(lock.fileno(), 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _passwords(directory: Path) -> dict[str, str]:
    return msgspec.json.decode((directory / "passwords.json").read_bytes(), type=dict[str, str])


def _make_cluster(directory: Path, cluster: Path, user: RunAs) -> None:
    """initdb, then roles and database in single-user mode; the rename at the end makes it count."""
    partial = directory / "cluster.partial"
    shutil.rmtree(partial, ignore_errors=True)
    passwords = {role: secrets.token_urlsafe(32) for role in ROLES}
    _keep_passwords(directory, passwords)
    partial.mkdir(mode=0o700)
    if user.owner_uid is not None:
        directory.chmod(0o711)  # nobody must reach its cluster; every file beside it is 0600
        os.chown(partial, user.owner_uid, user.owner_uid)
    _run([user.binaries.initdb, *initdb_options(user.binaries), "-D", str(partial)], user)
    (partial / "pg_hba.conf").write_text(_HBA)
    _run(_single_user(user.binaries, partial, "postgres"), user, _first_statements(passwords, _counts(user)))
    partial.rename(cluster)


def _keep_passwords(directory: Path, passwords: dict[str, str]) -> None:
    secret = directory / "passwords.json"
    fresh = directory / "passwords.partial"
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(passwords))
    fresh.rename(secret)


def _add_missing_roles(directory: Path, cluster: Path) -> None:
    """Roles that are newer than this cluster; a try that was interrupted is made again."""
    passwords = _passwords(directory)
    missing = {role: secrets.token_urlsafe(32) for role in ROLES if role not in passwords}
    if not missing:
        return
    user = run_as(_binaries_for(cluster), directory)
    # A role whose password was never kept is made anew.
    dropped = [f"DROP ROLE IF EXISTS {role}" for role in missing]
    statements = "\n".join([*dropped, *_role_statements(missing), ""])
    _run(_single_user(user.binaries, cluster, "postgres"), user, statements)
    _keep_passwords(directory, passwords | missing)


def _let_copy(directory: Path, cluster: Path) -> None:
    """Let a cluster of an older release be copied and counted; its pg_hba says whether that was done."""
    hba = cluster / "pg_hba.conf"
    if hba.read_text() == _HBA:
        return
    user = run_as(_binaries_for(cluster), directory)
    _run(_single_user(user.binaries, cluster, "postgres"), user, "\n".join([_COPIES, *_counts(user), ""]))
    hba.write_text(_HBA)


def initdb_options(binaries: Binaries) -> list[str]:
    """The same collation from every version: code points, lower() and upper() by Unicode."""
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    locale = builtin if binaries.major >= 17 else ["--locale=C.UTF-8"]
    # --no-sync concerns initdb only: the running server syncs. Nobody signs in as `postgres` (_HBA).
    return ["-U", "postgres", "-E", "UTF8", *locale, "--auth=reject", "--data-checksums", "--no-sync"]


def _single_user(binaries: Binaries, cluster: Path, database: str) -> list[str]:
    return [binaries.postgres, "--single", "-D", str(cluster), *_options(LOG_SETTINGS), database]


def _role_statements(passwords: dict[str, str]) -> list[str]:
    return [f"CREATE ROLE {role} LOGIN PASSWORD '{password}'" for role, password in passwords.items()]


def _renewed_roles(passwords: dict[str, str]) -> str:
    """The roles of this release with these passwords, in a cluster that may be older."""
    missing = "IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{0}') THEN CREATE ROLE {0} LOGIN; END IF"
    made = [f"DO $$BEGIN {missing.format(role)}; END$$" for role in passwords]
    known = [f"ALTER ROLE {role} LOGIN PASSWORD '{password}'" for role, password in passwords.items()]
    return "\n".join([*made, *known, _COPIES, ""])


def _counts(user: RunAs) -> tuple[str, ...]:
    """What lets hb_owner see counts of statements, where these binaries can count them."""
    return _COUNTS if can_count(user.binaries) else ()


def _first_statements(passwords: dict[str, str], counts: tuple[str, ...]) -> str:
    return "\n".join(
        [
            *_role_statements(passwords),
            "ALTER ROLE hb_owner CREATEDB",
            _COPIES,
            f"CREATE DATABASE {DATABASE} OWNER hb_owner",
            "REVOKE CONNECT ON DATABASE template1, postgres FROM PUBLIC",
            *counts,
            "",
        ]
    )


def _run(command: list[str], user: RunAs, text: str = "") -> None:
    done = subprocess.run(  # noqa: S603 - our own argument list, no shell
        command,
        input=text,
        capture_output=True,
        text=True,
        preexec_fn=user.prepare,
        cwd="/",
        check=False,
        timeout=120,
    )
    if done.returncode != 0 or "ERROR" in done.stderr or "FATAL" in done.stderr:
        raise PostgresError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _start(
    directory: Path, cluster: Path, settings: dict[str, str], seconds: float = START_SECONDS_MAX
) -> Server:
    user = run_as(_binaries_for(cluster), directory)
    sockets = _socket_directory(cluster, user)
    counting = _COUNTING if can_count(user.binaries) else {}
    command = [
        user.binaries.postgres,
        "-D",
        str(cluster),
        "-k",
        str(sockets),
        *_options(_SETTINGS | counting | settings),
    ]
    parent = os.getpid()

    def prepare() -> None:
        user.prepare()
        die_with_parent(parent)

    with open(_log(directory), "ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own argument list, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=prepare,  # noqa: PLW1509 - the main thread, before any other starts
            start_new_session=True,
            cwd="/",
        )
    _wait_until_ready(cluster, process, directory, seconds)
    return Server(directory, sockets, process, settings)


def _binaries_for(cluster: Path) -> Binaries:
    binaries, made_by = find_binaries(), int((cluster / "PG_VERSION").read_text())
    if binaries.major != made_by:
        raise PostgresError(
            f"{cluster} was made by PostgreSQL {made_by}, found {binaries.major}: dump and restore"
        )
    return binaries


def _socket_directory(cluster: Path, user: RunAs) -> Path:
    """The cluster itself, or a directory where its path is too long for a socket; 0700, and the same one at
    each start: who was connected, in whatever process, finds the server again."""
    if len(str(cluster)) <= _SOCKET_PATH_MAX:
        return cluster
    owner = os.geteuid() if user.owner_uid is None else user.owner_uid
    digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    held = Path(_SHORT, f"hb-{os.geteuid()}-{owner}-{digest}")
    found = _sockets_in(held, owner)
    if found is None:
        # Everybody may write there: where somebody else took the name, the service starts all the same.
        sys.stderr.write(
            f"{held} is not ours alone: the socket of PostgreSQL is elsewhere until the next start, and a\n"
            "backup, worker or API that runs does not find it. Remove it, and start everything again.\n"
        )
        found = _sockets_in(Path(tempfile.mkdtemp(prefix="hb-", dir=_SHORT)), owner)
        assert found is not None
    return found


def _sockets_in(held: Path, owner: int) -> Path | None:
    """A directory for PostgreSQL's user within one that only we write: what runs as that user cannot put
    another file in its place before root gives it away. None where something else stands there."""
    sockets = held / "socket"
    with suppress(FileExistsError):
        held.mkdir(mode=0o700)
    if not _is_directory_of(held, {os.geteuid()}, closed=0o022):
        return None
    held.chmod(0o711)
    with suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
    if not _is_directory_of(sockets, {os.geteuid(), owner}, closed=0o077):
        return None
    if sockets.lstat().st_uid != owner:
        os.chown(sockets, owner, owner, follow_symlinks=False)
    return sockets


def _is_directory_of(path: Path, owners: set[int], closed: int) -> bool:
    """Whether it is a directory, and no link, of one of them; closed: what others must not be allowed."""
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & closed


def _log(directory: Path) -> Path:
    """The server's log; the one before is kept when it has grown large."""
    log = directory / "postgresql.log"
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.rename(log.with_suffix(".log.1"))
    os.close(os.open(log, os.O_CREAT | os.O_WRONLY, 0o600))
    return log


def _wait_until_ready(
    cluster: Path, process: subprocess.Popen[bytes], directory: Path, seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    # Whoever holds these signals back would otherwise hear of them a minute later.
    while time.monotonic() < deadline and not _ENDING & signal.sigpending():
        if process.poll() is not None:
            break
        lines = _pid_file(cluster)
        if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
            return
        time.sleep(POLL_SECONDS)
    process.kill()
    process.wait()
    raise PostgresError(f"PostgreSQL did not start; see {directory / 'postgresql.log'}")


def _running(cluster: Path) -> Path | None:
    """The socket directory of a server that runs on this cluster; waits out one that is stopping."""
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while time.monotonic() < deadline:
        lines = _pid_file(cluster)
        if len(lines) < 8:
            if not lines or not _serves(int(lines[0]), cluster):
                return None
        elif not _serves(int(lines[0]), cluster):
            return None
        elif lines[7].strip() == "ready" and _accepts(Path(lines[4])):
            return Path(lines[4])
        time.sleep(POLL_SECONDS)
    raise PostgresError(f"another PostgreSQL holds {cluster} and does not answer")


def _pid_file(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _serves(pid: int, cluster: Path) -> bool:
    """Is `pid` alive, no zombie, and at home in this cluster (not a stranger with a reused number)?"""
    try:
        if Path("/proc").joinpath("self").exists():
            return Path(os.readlink(f"/proc/{pid}/cwd")) == cluster.resolve()
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _end_orphans(cluster: Path) -> None:
    """End the processes of a server whose first one was killed. One that computes does not notice, and while
    it lives no server starts over the same memory: somebody would have to come and end it."""
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while orphans := _processes_in(cluster):
        if time.monotonic() > deadline:
            raise PostgresError(f"processes of a killed PostgreSQL hold {cluster} and do not end: {orphans}")
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _processes_in(cluster: Path) -> list[int]:
    """PostgreSQL's processes that are at home in this cluster, where the system shows them."""
    if not Path("/proc/self").exists():
        return []
    found = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in found if _serves(pid, cluster) and _program(pid) == "postgres"]


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _accepts(socket_directory: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_directory / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
    return True
