"""One parent, its children and PostgreSQL: how they start together and end together."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from healthbook.wiring import STAMP
from store import migrate
from store.postgres import start_server
from tests.healthbook.conftest import environment, run_command

WAIT_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/health/live", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def eventually(condition: object, what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError(what)


@contextmanager
def starting(directory: Path, port: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "healthbook", "serve"],
        env=environment(directory, PORT=str(port), **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def served(directory: Path, port: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    with starting(directory, port, **variables) as process:
        eventually(lambda: answers(port), "the service did not start")
        yield process
    eventually(lambda: not started_with(port), "processes were left behind")


def started_with(port: int) -> list[int]:
    """Processes that inherited this PORT: the parent, its children and its PostgreSQL."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"PORT={port}".encode() in variables:
            found.append(int(entry.name))
    return found


def can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def postgres_is_down(directory: Path) -> bool:
    return not (directory / "postgres" / "cluster" / "postmaster.pid").exists()


def test_kill_9_of_the_parent_frees_the_port_and_stops_postgres_cleanly(installation: Path) -> None:
    port = free_port()
    with served(installation, port, WORKERS="2") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        eventually(lambda: can_bind(port), "the port stayed taken")
        eventually(lambda: postgres_is_down(installation), "PostgreSQL stayed up")
    log = (installation / "postgres" / "postgresql.log").read_text()
    assert log.rstrip().endswith("database system is shut down")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_in_order(installation: Path, number: signal.Signals) -> None:
    port = free_port()
    with served(installation, port) as process:
        process.send_signal(number)
        assert process.wait(WAIT_SECONDS) == 0
        assert can_bind(port)
        assert postgres_is_down(installation)


def test_a_taken_port_is_refused_in_plain_words(installation: Path) -> None:
    port = free_port()
    with served(installation, port):
        second = run_command(installation, "serve", PORT=str(port))
        assert second.returncode == 2
        assert f"Port {port}" in second.stderr
        assert answers(port)


def test_two_services_share_one_database(installation: Path) -> None:
    first, second = free_port(), free_port()
    with served(installation, first), served(installation, second):
        assert answers(first)
        assert answers(second)


def told_to_end(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it ends by itself at SIGTERM, and nothing stays. The default way would be -15, and to the first
    process of a container nothing at all."""
    process.send_signal(signal.SIGTERM)
    return process.wait(WAIT_SECONDS) == 128 + signal.SIGTERM and not started_with(port)


def test_a_start_that_waits_for_a_database_is_ended(installation: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(WAIT_SECONDS)
        address = f"postgresql://hb_api@127.0.0.1:{silent.getsockname()[1]}/healthbook"
        with starting(installation, port, DATABASE_URL=address) as process:
            connection, _ = silent.accept()
            with connection:
                assert told_to_end(process, port)


async def test_a_start_that_waits_for_the_migrations_of_another_is_ended(installation: Path) -> None:
    port, server = free_port(), start_server(installation / "postgres")
    (installation / STAMP).unlink()
    try:
        connection = await asyncpg.connect(server.dsn("hb_owner"))
        await connection.execute("SELECT pg_advisory_lock($1)", migrate._LOCK)
        with starting(installation, port) as process:
            deadline = time.monotonic() + WAIT_SECONDS
            while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            assert told_to_end(process, port)
        await connection.close()
    finally:
        server.stop()


def test_a_start_that_waits_for_its_postgres_is_ended_with_it(installation: Path) -> None:
    """That one replays its log, for as long as that takes."""
    cluster, port = installation / "postgres" / "cluster", free_port()
    settings, recovery = cluster / "postgresql.auto.conf", cluster / "recovery.signal"
    kept = settings.read_text()
    try:
        settings.write_text(
            f"{kept}restore_command = 'while test -e {recovery}; do sleep 0.1; done; exit 1'\n"
        )
        recovery.touch()
        with starting(installation, port) as process:
            eventually(lambda: not postgres_is_down(installation), "PostgreSQL was not started")
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_SECONDS) == 128 + signal.SIGTERM
            eventually(lambda: not started_with(port), "processes were left behind")
            assert postgres_is_down(installation)
    finally:
        recovery.unlink(missing_ok=True)
        settings.write_text(kept)


def test_what_hangs_locks_on_a_fork_is_there_before_anybody_forks() -> None:
    """Imported by another thread during a fork it would release what it never took."""
    asked = "import sys, store.postgres_user; print('concurrent.futures.thread' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, timeout=60)
    assert done.stdout.strip() == b"True"
