"""The embedded PostgreSQL when processes die, meet, or belong to somebody else."""

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from store.postgres import PORT, Server, start_server
from store.postgres_binaries import PostgresError, find_binaries
from store.postgres_user import NOBODY, as_nobody, namespace_allowed

ROOT = Path(__file__).resolve().parents[2]


def spawn(directory: Path) -> subprocess.Popen[str]:
    """A process of its own that holds the launcher; its first line says how, and the address."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.anomaly.hold_postgres", str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


class Holder:
    """Such a process, once it holds the server."""

    def __init__(self, directory: Path) -> None:
        self.process = spawn(directory)
        assert self.process.stdout is not None
        self.how, self.dsn = self.process.stdout.readline().split()

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(60)


@pytest.fixture
def empty() -> Iterator[Path]:
    """A place where nothing was ever started."""
    path = Path(tempfile.mkdtemp(prefix="hba-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A cluster that was made and stopped, to copy from."""
    path = Path(tempfile.mkdtemp(prefix="hba-"))
    Holder(path / "made").end(signal.SIGINT)
    yield path / "made"
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def directory(empty: Path, made: Path) -> Path:
    """A place with a stopped cluster."""
    return Path(shutil.copytree(made, empty / "postgres"))


async def run(dsn: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def connects(sockets: str, uid: int) -> bool:
    """Does a process of this user reach the server's socket?"""
    child = os.fork()
    if child == 0:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                os.setuid(uid)
                probe.connect(f"{sockets}/.s.PGSQL.{PORT}")
            except OSError:
                os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def alive(pid: int) -> bool:
    """Alive and not merely waiting for its parent to hear of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(path: Path) -> bool:
    """Wait for a file to disappear: the server removes its pid file last."""
    for _ in range(6000):
        if not path.exists():  # noqa: ASYNC240 - a look at a local file
            return True
        await asyncio.sleep(0.01)
    return False


async def test_kill_9_of_the_parent_stops_the_server_cleanly_and_keeps_every_row(directory: Path) -> None:
    holder = Holder(directory)
    await run(holder.dsn, "CREATE TABLE kept (n integer)")
    await run(holder.dsn, "INSERT INTO kept SELECT generate_series(1, 1000)")
    holder.end(signal.SIGKILL)
    assert await gone(directory / "cluster" / "postmaster.pid")
    assert "database system is shut down" in (directory / "postgresql.log").read_text()
    again = Holder(directory)
    try:
        assert again.how == "owned"
        assert (await run(again.dsn, "SELECT count(*) FROM kept"))[0][0] == 1000
        assert "not properly shut down" not in (directory / "postgresql.log").read_text()
    finally:
        again.end(signal.SIGINT)


async def test_ctrl_c_stops_the_server_cleanly(directory: Path) -> None:
    holder = Holder(directory)
    holder.end(signal.SIGINT)
    assert not (directory / "cluster" / "postmaster.pid").exists()
    assert holder.process.returncode == 0


async def test_a_second_process_shares_the_server_and_does_not_stop_it(directory: Path) -> None:
    first, second = Holder(directory), Holder(directory)
    try:
        assert (first.how, second.how) == ("owned", "shared")
        second.end(signal.SIGINT)
        assert (await run(first.dsn, "SELECT 1"))[0][0] == 1
    finally:
        first.end(signal.SIGINT)


async def test_a_second_process_takes_over_when_the_first_is_killed(directory: Path) -> None:
    first = Holder(directory)
    await run(first.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    first.end(signal.SIGKILL)
    second = Holder(directory)  # meets the old server while it is still stopping
    try:
        assert second.how == "owned"
        assert (await run(second.dsn, "SELECT n FROM kept"))[0][0] == 7
    finally:
        second.end(signal.SIGINT)


async def test_a_stale_pid_file_that_names_a_living_stranger_does_not_block_the_start(
    directory: Path,
) -> None:
    cluster = directory / "cluster"
    stranger = f"{os.getpid()}\n{cluster}\n1\n5432\n{cluster}\n\n0 0\nready\n"
    (cluster / "postmaster.pid").write_text(stranger)
    holder = Holder(directory)
    assert holder.how == "owned"
    holder.end(signal.SIGINT)


async def test_a_start_that_was_cut_short_is_made_again(empty: Path) -> None:
    partial = empty / "cluster.partial"
    partial.mkdir()
    (partial / "PG_VERSION").write_text("18")
    holder = Holder(empty)
    assert (await run(holder.dsn, "SELECT 1"))[0][0] == 1
    holder.end(signal.SIGINT)


def test_the_launcher_refuses_to_start_off_the_main_thread(empty: Path) -> None:
    raised: list[BaseException] = []

    def start() -> None:
        try:
            start_server(empty)
        except PostgresError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(raised) == 1


def test_a_start_is_given_up_where_it_was_asked_to_end(directory: Path) -> None:
    """Serving holds signals back and waits for them; a start after a kill may take minutes."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        with pytest.raises(PostgresError):
            start_server(directory).stop()
    finally:
        signal.sigtimedwait({signal.SIGTERM}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    start_server(directory).stop()


async def test_a_path_too_long_for_a_socket_gets_a_short_private_directory(empty: Path) -> None:
    holder = Holder(empty / ("d" * 100))
    try:
        sockets = Path(parse_qs(urlsplit(holder.dsn).query)["host"][0])
        assert len(str(sockets)) < 90
        assert stat.S_IMODE(os.stat(sockets).st_mode) == 0o700
        assert (await run(holder.dsn, "SELECT 1"))[0][0] == 1
        second = Holder(empty / ("d" * 100))
        assert second.how == "shared"
        second.end(signal.SIGINT)
    finally:
        holder.end(signal.SIGINT)
    # Who was connected finds it there again; where somebody else took the name it starts all the same.
    for mode in (0o700, 0o777):
        os.chmod(sockets.parent, mode)
        again = Holder(empty / ("d" * 100))
        try:
            assert (again.dsn == holder.dsn) == (mode == 0o700)
            assert (await run(again.dsn, "SELECT 1"))[0][0] == 1
        finally:
            again.end(signal.SIGINT)
    for dsn in {holder.dsn, again.dsn}:
        shutil.rmtree(Path(parse_qs(urlsplit(dsn).query)["host"][0]).parent)


SHORT_AS_NOBODY = """
import sys
from pathlib import Path
from store import postgres
from store.postgres_binaries import find_binaries
from store.postgres_user import NOBODY, RunAs
postgres._SHORT = sys.argv[1]
user = RunAs(lambda: None, find_binaries(), NOBODY)
print(postgres._socket_directory(Path("/", "d" * 100), user))
"""


def short_as_nobody(parent: Path) -> tuple[Path, str]:
    """Where the socket of a server of nobody's would be, and what was said about it."""
    told = subprocess.run(
        [sys.executable, "-c", SHORT_AS_NOBODY, str(parent)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return Path(told.stdout.strip()), told.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root gives directories away")
def test_root_gives_nobody_no_file_that_nobody_put_in_the_place_of_the_socket(tmp_path: Path) -> None:
    """What runs as nobody may put a link there at any time; root must never give away what it leads to."""
    target, parent = tmp_path / "target", tmp_path / "short"
    target.mkdir(mode=0o700)
    parent.mkdir()
    parent.chmod(0o1777)
    sockets, told = short_as_nobody(parent)
    assert (sockets.stat().st_uid, told) == (NOBODY, "")
    held = sockets.parent
    assert (held.parent, held.stat().st_uid, stat.S_IMODE(held.stat().st_mode)) == (parent, 0, 0o711)
    assert short_as_nobody(parent) == (sockets, "")
    sockets.rmdir()
    sockets.symlink_to(target)
    another, told = short_as_nobody(parent)
    assert another != sockets
    assert str(held) in told
    sockets.unlink()
    held.rmdir()
    held.symlink_to(target)
    assert short_as_nobody(parent)[0].parent != held
    held.unlink()
    held.mkdir(mode=0o700)
    os.chown(held, NOBODY, NOBODY)
    another, told = short_as_nobody(parent)
    assert another.parent != held
    assert str(held) in told
    assert target.stat().st_uid == 0
    assert not list(target.iterdir())


def test_s21_another_user_of_the_machine_cannot_reach_the_server(server: Server) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can become another user")
    sockets = parse_qs(urlsplit(server.dsn("hb_api")).query)["host"][0]
    assert connects(sockets, uid=os.geteuid())
    assert not connects(sockets, uid=12345)


async def test_s21_nobody_signs_in_as_the_superuser(server: Server) -> None:
    dsn = server.dsn("hb_api").replace("//hb_api:", "//postgres:")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(dsn)


async def test_s21_a_role_needs_its_own_password(server: Server) -> None:
    dsn = server.dsn("hb_delivery").replace("//hb_delivery:", "//hb_owner:")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn)


def test_s21_passwords_and_data_are_closed_to_other_users(empty: Path) -> None:
    Holder(empty).end(signal.SIGINT)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in empty.iterdir()}
    assert modes == {"cluster": 0o700, "lock": 0o600, "passwords.json": 0o600, "postgresql.log": 0o600}


def test_as_root_the_server_starts_in_a_user_namespace_or_as_nobody(empty: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: the two ways of root")
    binaries = find_binaries()
    plan = as_nobody(binaries, empty)
    told = subprocess.run(
        [plan.binaries.postgres, "--version"],
        check=False,
        preexec_fn=plan.prepare,
        capture_output=True,
        cwd="/",
    )
    assert told.stdout.startswith(b"postgres (PostgreSQL)")
    assert plan.owner_uid == NOBODY
    (empty / "closed").mkdir(mode=0o700)
    with pytest.raises(PostgresError):
        as_nobody(binaries, empty / "closed" / "data")
    assert namespace_allowed() in {True, False}


async def test_without_user_namespaces_root_runs_it_as_nobody(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root needs it")
    monkeypatch.setattr("store.postgres_user.namespace_allowed", lambda: False)
    server = start_server(empty)
    try:
        assert (await run(server.dsn("hb_owner"), "SELECT 1"))[0][0] == 1
        assert (empty / "cluster").stat().st_uid == NOBODY
    finally:
        server.stop()


async def test_kill_9_of_the_server_itself_loses_nothing_committed(directory: Path) -> None:
    holder = Holder(directory)
    await run(holder.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    pid = int((directory / "cluster" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    holder.end(signal.SIGINT)
    again = Holder(directory)
    try:
        assert again.how == "owned"
        assert (await run(again.dsn, "SELECT count(*) FROM kept"))[0][0] == 1000
    finally:
        again.end(signal.SIGINT)


def test_two_first_starts_at_once_make_one_cluster(empty: Path) -> None:
    processes = [spawn(empty) for _ in range(3)]
    told = sorted(process.stdout.readline().split()[0] for process in processes if process.stdout)
    assert told == ["owned", "shared", "shared"]
    for process in processes:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


async def test_an_open_transaction_of_a_killed_client_is_undone(directory: Path) -> None:
    holder = Holder(directory)
    await run(holder.dsn, "CREATE TABLE kept (n integer)")
    half = await asyncpg.connect(holder.dsn)
    await half.execute("BEGIN")
    await half.execute("INSERT INTO kept VALUES (1)")
    holder.end(signal.SIGKILL)
    half.terminate()
    again = Holder(directory)
    try:
        assert (await run(again.dsn, "SELECT count(*) FROM kept"))[0][0] == 0
    finally:
        again.end(signal.SIGINT)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found as on Linux")
async def test_a_server_starts_again_although_a_killed_one_left_a_process_that_computes(
    directory: Path,
) -> None:
    """A backend in the midst of a long statement does not see that its first process died."""
    killed = start_server(directory)
    connection = await asyncpg.connect(killed.dsn("hb_owner"))
    left = connection.get_server_pid()
    # It computes: a backend that waits for anything ends by itself.
    busy = asyncio.create_task(connection.execute("SELECT count(*) FROM generate_series(1, 10000000000)"))
    computes = f"SELECT 1 FROM pg_stat_activity WHERE pid = {left} AND query LIKE '%series%'"
    while not await run(  # noqa: ASYNC110 - another process's state
        killed.dsn("hb_owner"), f"{computes} AND state = 'active' AND wait_event IS NULL"
    ):
        await asyncio.sleep(0.01)
    os.kill(int((directory / "cluster" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    killed.stop()
    again = start_server(directory)
    try:
        assert not alive(left)
        assert await run(again.dsn("hb_owner"), "SELECT 1")
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await busy
    finally:
        again.stop()
        connection.terminate()
        if alive(left):
            os.kill(left, signal.SIGKILL)
