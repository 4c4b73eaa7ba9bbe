"""kill -9 of the parent: the port is free, PostgreSQL is stopped, and what was acknowledged is there."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from healthbook.demo_sheet import DemoSheet, load_sheet
from healthbook.serve import LIVES_SECONDS_MIN
from store.postgres import START_SECONDS_MAX
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


def wait_until_ready(service: Service) -> None:
    """Until it serves again, without anybody's hand."""
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while httpx.get(f"{service.base_url}/health/ready", timeout=30).status_code != 200:
        assert service.process.poll() is None, service.log.read_text()[-4000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(doctor: Staff, number: int) -> str:
    """Open a request. Returns its id."""
    request_id: str = doctor.ask("national-id", f"0012{number:08d}")["request_id"]
    return request_id


def ask_until_it_breaks(doctor: Staff, acknowledged: list[str]) -> None:
    """Open one request after the other; note the ids that were answered."""
    while True:
        try:
            acknowledged.append(ask(doctor, len(acknowledged)))
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


def test_kill_9_of_postgres_is_mended_and_loses_nothing(place: Path, sheet: DemoSheet) -> None:
    service = start_service(place, workers=2)
    try:
        doctor = Staff.sign_in(Api(service.base_url), sheet.practitioners[1])
        acknowledged = [ask(doctor, number) for number in range(5)]
        first = postmaster(service)
        # One that ends as soon as it was started is taken for one that cannot start.
        time.sleep(LIVES_SECONDS_MIN)
        os.kill(first, signal.SIGKILL)
        assert wait_until_gone([first]) == []
        wait_until_ready(service)
        assert postmaster(service) != first
        kept = asyncio.run(rows(service, "SELECT request_id::text FROM practitioner_request"))
        assert set(acknowledged) <= {request_id for (request_id,) in kept}
        assert ask(doctor, 6)
    finally:
        service.stop()
    assert service.process.returncode == 0


def test_serve_ends_where_postgres_cannot_be_started_again(place: Path, sheet: DemoSheet) -> None:
    service = start_service(place, workers=1)
    everybody = family(service.process.pid)
    control = place / "postgres" / "cluster" / "global" / "pg_control"
    time.sleep(LIVES_SECONDS_MIN)
    kept = control.rename(control.with_suffix(".kept"))
    try:
        os.kill(postmaster(service), signal.SIGKILL)
        assert service.process.wait(120) == 1
        assert wait_until_gone(everybody) == []
        assert "PostgreSQL ended, and cannot be started again." in service.log.read_text()
    finally:
        kept.rename(control)


def test_whoever_ends_it_does_not_wait_until_postgres_has_come_back(place: Path, sheet: DemoSheet) -> None:
    """After a kill it replays its log, for as long as that takes."""
    service = start_service(place, workers=1)
    everybody = family(service.process.pid)
    cluster = place / "postgres" / "cluster"
    settings, recovery = cluster / "postgresql.auto.conf", cluster / "recovery.signal"
    kept, first = settings.read_text(), postmaster(service)
    time.sleep(LIVES_SECONDS_MIN)
    try:
        waiting = f"while test -e {recovery}; do sleep 0.1; done; exit 1"
        settings.write_text(f"{kept}restore_command = '{waiting}'\n")
        recovery.touch()
        os.kill(first, signal.SIGKILL)
        second, deadline = first, time.monotonic() + GONE_SECONDS_MAX
        while second == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            with suppress(FileNotFoundError, IndexError):
                second = postmaster(service)
        everybody += family(service.process.pid)
        service.process.send_signal(signal.SIGTERM)
        # Before the start would have been given up anyway.
        assert service.process.wait(START_SECONDS_MAX - 10) == 0
    finally:
        for pid in filter(alive, everybody):
            os.kill(pid, signal.SIGKILL)
        recovery.unlink(missing_ok=True)
        settings.write_text(kept)


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
