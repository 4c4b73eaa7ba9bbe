"""The service as people run it: `healthbook demo`, then `healthbook serve` in a process of its own."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from healthbook.demo_sheet import DemoSheet, load_sheet
from store.postgres import start_server

READY_SECONDS_MAX = 60
MOVED = "moved.json"
COMMAND = [sys.executable, "-m", "healthbook"]


def environment(data: Path, **settings: str) -> dict[str, str]:
    """This process's environment with the given settings and no others of ours, and with the database that
    was moved away from these data, where one was (tests/support/cluster.py)."""
    ours = ("HEALTHBOOK_", "DATABASE_", "EHR_CORE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **moved_to(data), "HEALTHBOOK_DATA": str(data), "HOST": "127.0.0.1", **settings}


def moved_to(data: Path) -> dict[str, str]:
    """Where the database of these data lies since it was moved; empty where it is the embedded one."""
    moved = data / MOVED
    return json.loads(moved.read_text()) if moved.exists() else {}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def run_command(data: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """A command of ours over a data directory."""
    done = run_command_with(environment(data), *arguments)
    assert not check or done.returncode == 0, done.stderr.decode()
    return done


def run_command_with(
    settings: dict[str, str], *arguments: str, seconds_max: int = 180
) -> subprocess.CompletedProcess[bytes]:
    """A command of ours in that environment."""
    return subprocess.run(
        [*COMMAND, *arguments], env=settings, capture_output=True, timeout=seconds_max, check=False
    )


def make_demo_place(data: Path) -> DemoSheet:
    run_command(data, "demo")
    return load_sheet(data / "demo.json")


@contextmanager
def demo_of_the_run(directory: Path) -> Iterator[Path]:
    """The demo that is copied: made by the first test process that needs one, removed by the last."""
    _count_users(directory, 1)
    try:
        yield directory / "data"
    finally:
        _count_users(directory, -1)


def _count_users(directory: Path, more: int) -> None:
    directory.mkdir(exist_ok=True)
    counted = directory / "users"
    with open(directory / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = int(counted.read_text()) if counted.exists() else 0
        if before == 0:
            make_demo_place(directory / "data")
        if before + more == 0:
            shutil.rmtree(directory / "data", ignore_errors=True)
        counted.write_text(str(before + more))


@dataclass
class Service:
    """A running `healthbook serve`."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_log(self) -> Path:
        return self.data / "postgres" / "postgresql.log"

    def stop(self) -> None:
        """Ask it to stop and wait, as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def kill(self) -> None:
        """kill -9 of the parent alone."""
        self.process.kill()
        self.process.wait(60)


def start_service(
    data: Path,
    *options: str,
    workers: int = 2,
    port: int | None = None,
    entry: str = "healthbook",
    **settings: str,
) -> Service:
    """Start it with further settings and wait until it is ready. entry: the module that is run."""
    port = port or free_port()
    log = data / "serve.log"
    with open(log, "ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", entry, "serve", *options],
            env=environment(data, PORT=str(port), WORKERS=str(workers), **settings),
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    service = Service(data, port, process, log)
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-4000:]
        try:
            if httpx.get(f"{service.base_url}/health/ready", timeout=5).status_code == 200:
                return service
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    service.kill()
    raise AssertionError(log.read_text()[-4000:])


async def rows(service: Service, sql: str, *args: object) -> list[tuple[object, ...]]:
    """What the service's database says, as its owner."""
    address = moved_to(service.data).get("DATABASE_OWNER_URL")
    if address is None:
        running = start_server(service.data / "postgres")
        assert not running.owned
        address = running.dsn("hb_owner")
    connection = await asyncpg.connect(address)
    try:
        return [tuple(row) for row in await connection.fetch(sql, *args)]
    finally:
        await connection.close()
