"""A real S3 server for tests: SeaweedFS on loopback, on free ports, in a directory of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret-key"
START_SECONDS_MAX = 60
REGION = "us-east-1"
PORTS = ("s3.port", "master.port", "volume.port", "filer.port")


@dataclass
class ObjectStore:
    endpoint: str
    directory: Path
    process: "subprocess.Popen[bytes]"

    def pause(self) -> None:
        """Answers nothing, and keeps connections open. Returns once it has stopped: what came before it is
        answered."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)


def free_ports(count: int) -> list[int]:
    """Ports that are free together; each also 10000 higher, where the server puts its gRPC."""
    while True:
        with ExitStack() as held:
            listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
            ports: list[int] = [listener.getsockname()[1] for listener in listeners]
            if all(port < 50_000 and is_free(port + 10_000) for port in ports):
                return ports


def is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Started when the block begins, stopped and removed when it ends."""
    directory = Path(tempfile.mkdtemp(prefix="hbs3-"))
    process: subprocess.Popen[bytes] | None = None
    try:
        # Between the look for free ports and its own start somebody else may take one of the eight.
        for tries_left in reversed(range(3)):
            ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
            process, endpoint = begin(directory, ports), f"http://127.0.0.1:{ports['s3.port']}"
            if wait_for(endpoint, process) or not tries_left:
                break
        assert process is not None
        assert process.poll() is None, "the object store ended"
        yield ObjectStore(endpoint, directory, process)
    finally:
        if process is not None:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
        shutil.rmtree(directory, ignore_errors=True)


def begin(directory: Path, ports: dict[str, int]) -> "subprocess.Popen[bytes]":
    command = [
        str(Path(sys.executable).with_name("weed")),
        "mini",
        f"-dir={directory}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    credentials = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    return subprocess.Popen(
        command,
        env={**os.environ, **credentials},
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(endpoint: str, process: "subprocess.Popen[bytes]") -> bool:
    """Whether it answers; False where it ended instead."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        try:
            # Without a signature the answer is a refusal, and that is an answer.
            if httpx.get(endpoint, timeout=5).status_code == 403:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the object store did not start")
