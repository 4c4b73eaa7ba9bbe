"""Our own server for a measurement: `healthbook serve` as people run it, on a free loopback port."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peer import free_port, wait_for

STOP_SECONDS_MAX = 60


def environment(data: Path, port: int, **more: str) -> dict[str, str]:
    """The environment of this process with our settings and nobody else's database."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "HEALTHBOOK_"))
    }
    return {**kept, "HEALTHBOOK_DATA": str(data), "PORT": str(port), "HOST": "127.0.0.1", **more}


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server in order. One that does not end is killed, and that is an error."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@contextmanager
def serving(data: Path, *options: str, workers: int = 1) -> Iterator[int]:
    """The service over a data directory; the value is its port, once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "healthbook", "serve", *options]
    log = data / "serve.log"
    with (
        open(log, "ab") as sink,
        subprocess.Popen(
            command, stdout=sink, stderr=sink, env=environment(data, port, WORKERS=str(workers))
        ) as process,
    ):
        try:
            _wait_until_ready(port, process, log)
            yield port
        finally:
            stop(process)


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        wait_for(f"http://127.0.0.1:{port}/health/ready", process)
    except (RuntimeError, TimeoutError) as error:
        raise RuntimeError(log.read_text()[-2000:]) from error


@contextmanager
def floor(plan: Path, dsn: str, role: str) -> Iterator[int]:
    """The floor under the same server program, one worker, like ours."""
    port = free_port()
    command = [
        *(str(Path(sys.executable).with_name("granian")), "--interface", "asgi", "--workers", "1"),
        *("--loop", "uvloop", "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"),
        "bench.floor_app:app",
    ]
    settings = {**os.environ, "BENCH_PLAN": str(plan), "BENCH_DSN": dsn, "BENCH_ROLE": role}
    with subprocess.Popen(command, env=settings) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/0", process)
            yield port
        finally:
            stop(process)
