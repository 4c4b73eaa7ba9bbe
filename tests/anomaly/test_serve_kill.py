"""kill -9 of the parent: the port is free, PostgreSQL is stopped, and what was acknowledged is there."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from healthbook.demo_sheet import DemoSheet, load_sheet
from tests.support.client import Api, App, Staff, UnexpectedAnswerError
from tests.support.service import Service, rows, start_service

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the parent's death is signalled on Linux only"
)

GONE_SECONDS_MAX = 30


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


def family(parent: int) -> list[int]:
    """The process and everybody below it."""
    found = [parent]
    for pid in found:
        answer = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, check=False)
        found += [int(word) for word in answer.stdout.split()]
    return found


def alive(pid: int) -> bool:
    """Alive and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_gone(pids: list[int]) -> list[int]:
    """Who is still alive after the time."""
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [pid for pid in pids if alive(pid)]


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def postmaster(service: Service) -> int:
    pid_file = service.data / "postgres" / "cluster" / "postmaster.pid"
    return int(pid_file.read_text().splitlines()[0])


def ask_until_it_breaks(doctor: Staff, acknowledged: list[str]) -> None:
    """Open one request after the other; note the ids that were answered."""
    while True:
        try:
            acknowledged.append(doctor.ask("national-id", f"0012{len(acknowledged):08d}")["request_id"])
        except (httpx.TransportError, UnexpectedAnswerError):
            return


def test_kill_9_of_the_parent_frees_the_port_stops_postgres_and_loses_nothing(
    place: Path, sheet: DemoSheet
) -> None:
    service = start_service(place, workers=2)
    doctor = Staff.sign_in(Api(service.base_url), sheet.practitioners[0])
    everybody = family(service.process.pid)
    database = postmaster(service)
    assert database in everybody
    assert len(everybody) > 4

    acknowledged: list[str] = []
    load = threading.Thread(target=ask_until_it_breaks, args=(doctor, acknowledged))
    load.start()
    while len(acknowledged) < 20:
        time.sleep(0.01)
    service.kill()
    load.join(60)

    assert wait_until_gone(everybody) == []
    assert port_is_free(service.port)
    assert "database system is shut down" in service.database_log.read_text()
    assert not (place / "postgres" / "cluster" / "postmaster.pid").exists()

    again = start_service(place, workers=1, port=service.port)
    try:
        kept = asyncio.run(rows(again, "SELECT request_id::text FROM practitioner_request"))
        assert set(acknowledged) <= {request_id for (request_id,) in kept}
        assert App.of_sheet(Api(again.base_url), sheet.citizens[1]).get("/v1/me/summary")["sections"]
    finally:
        again.stop()


def test_ctrl_c_stops_everything_in_order(place: Path, sheet: DemoSheet) -> None:
    service = start_service(place, workers=1)
    everybody = family(service.process.pid)
    os.killpg(service.process.pid, 2)
    assert service.process.wait(60) == 0
    assert wait_until_gone(everybody) == []
    assert port_is_free(service.port)


def test_a_taken_port_is_said_in_plain_words(place: Path, sheet: DemoSheet) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(AssertionError, match="cannot be used"),
    ):
        start_service(place, port=taken.getsockname()[1])
