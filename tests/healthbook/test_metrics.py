"""Figures of a real service with two API processes and a worker: they add up, and tell of nobody (S34)."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from prometheus_client.mmap_dict import MmapedDict

from healthbook.demo_sheet import DemoSheet, load_sheet
from tests.support.client import Api, App, Staff
from tests.support.figures import Figures, figures_at
from tests.support.service import Service, free_port, rows, start_service

LIVE = "/.well-known/oauth-authorization-server"


@dataclass
class Watched:
    """A service and where its figures are."""

    service: Service
    port: int
    traces: list[bytes]

    def figures(self) -> Figures:
        return figures_at(self.port)

    def until(self, holds: Callable[[Figures], object]) -> Figures:
        """The first look for which it holds; fails after a minute."""
        deadline = time.monotonic() + 60
        while not holds(found := self.figures()):
            assert time.monotonic() < deadline, found.text[-3000:]
            time.sleep(0.1)
        return found


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


class Collector(BaseHTTPRequestHandler):
    """Takes traces as they come over OTLP/HTTP: texts of a protobuf message stand in it as they are."""

    def do_POST(self) -> None:
        taken: list[bytes] = self.server.taken  # type: ignore[attr-defined]
        taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def watched(place: Path) -> Iterator[Watched]:
    port = free_port()
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        traces: list[bytes] = []
        collector.taken = traces  # type: ignore[attr-defined]
        Thread(target=collector.serve_forever, daemon=True).start()
        traced = {"TRACES_ENDPOINT": f"http://127.0.0.1:{collector.server_port}/v1/traces"}
        running = start_service(place, workers=2, METRICS_PORT=str(port), **traced)
        try:
            made = Watched(running, port, traces)
            made.until(lambda figures: figures.value("healthbook_database_connections"))
            yield made
        finally:
            running.stop()
            collector.shutdown()


def processes_that_counted(watched: Watched) -> set[int]:
    """API processes whose file of counters tells of requests, by what the kernel says they have open."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/maps"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        own = re.search(rf"healthbook-figures-{watched.service.process.pid}-\w+/counter_(\d+)\.db", text)
        if own and int(own[1]) == int(entry.parent.name):
            found.add(int(own[1]))
    return found


def test_what_two_api_processes_count_adds_up(watched: Watched) -> None:
    before = watched.figures().value("healthbook_requests_total", route=LIVE)

    def ask(_: int) -> int:
        # A connection each, so that the kernel spreads them over both processes.
        return httpx.get(watched.service.base_url + LIVE, timeout=10).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(60))) == {200}
    after = watched.figures()
    assert after.value("healthbook_requests_total", route=LIVE, method="GET", status="200") == before + 60
    assert after.value("healthbook_request_seconds_count", journey="page") >= 60
    # Parent, two API processes, worker, at least.
    assert len(processes_that_counted(watched)) >= 3


def test_s34_what_people_feel_is_shown_and_nothing_of_them(watched: Watched, sheet: DemoSheet) -> None:
    api = Api(watched.service.base_url)
    citizen = next(one for one in sheet.citizens if one.key == "lan")
    doctor = Staff.sign_in(api, next(one for one in sheet.practitioners if one.username == "bs.nam"))
    clerk = Staff.sign_in(api, next(one for one in sheet.desk_staff if one.username == "tn.an"))
    app = App.of_sheet(api, citizen)
    clerk.check_in(app.qr())
    app.get("/v1/me/summary")
    asked = doctor.post(
        "/v1/doctor/access-requests", {"subject": {"kind": "national-id", "value": citizen.number}}, 202
    )
    api.send("GET", f"/v1/doctor/patients/{citizen.number}/summary", token=doctor.token)
    api.send(
        "GET", f"/v1/nothing/{citizen.number}?phone={citizen.phone}", headers={"X-Patient-Id": citizen.number}
    )
    api.send(citizen.phone, "/v1/me/summary")
    wrong = {"username": citizen.name, "password": citizen.pin, "totp": "000000"}
    api.ask("POST", "/v1/auth/practitioner/sign-in", 401, body=wrong)

    figures = watched.until(
        lambda one: (
            one.value("healthbook_event_lateness_seconds_count", event="consent.requested")
            and one.value("healthbook_deliveries_total", type="consent-request")
            and one.value("healthbook_audit_root_timestamp_seconds")
        )
    )
    for journey in ("sign-in", "consent", "read", "check-in"):
        assert figures.value("healthbook_answers_total", journey=journey, outcome="ok") > 0, journey
        assert figures.value("healthbook_request_seconds_count", journey=journey) > 0, journey
    assert figures.value("healthbook_refusals_total", journey="sign-in", code="sign-in-refused") == 1
    assert figures.value("healthbook_requests_total", route="none") >= 1
    assert figures.value("healthbook_pool_wait_seconds_count") > 0
    assert figures.value("healthbook_timer_lateness_seconds_count") > 0
    seeds = {citizen.number, citizen.phone, citizen.phone.lstrip("0"), citizen.name, asked["request_id"]}
    seeds |= {app.access_token, doctor.token, citizen.pin, "bs.nam"}
    assert [seed for seed in seeds if seed.lower() in figures.text.lower()] == []
    people = asyncio.run(rows(watched.service, "SELECT patient_id::text FROM citizen"))
    assert len(people) > 5
    assert [person for (person,) in people if str(person) in figures.text] == []
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", figures.text)
    traces = traces_with(watched, b"POST /v1/doctor/access-requests", b"GET /v1/me/summary")
    spellings = {text.encode() for text in seeds - {"bs.nam"}}
    assert [text for text in spellings if text.lower() in traces.lower()] == []
    assert [person for (person,) in people if str(person).encode() in traces] == []


def traces_with(watched: Watched, *spans: bytes) -> bytes:
    """All traces, once those spans are among them; they leave every few seconds."""
    deadline = time.monotonic() + 60
    while not all(span in (taken := b"".join(watched.traces)) for span in spans):
        assert time.monotonic() < deadline, taken[-2000:]
        time.sleep(0.1)
    return taken


def test_s34_figures_are_offered_on_the_loopback_alone(watched: Watched) -> None:
    listening = [
        line.split()[1]
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    ours = [address for address in listening if int(address.rpartition(":")[2], 16) == watched.port]
    assert ours == [f"0100007F:{watched.port:04X}"]
    assert httpx.get(f"{watched.service.base_url}/metrics", timeout=10).status_code == 404


def test_a_killed_worker_is_started_again_and_nothing_that_was_counted_is_lost(watched: Watched) -> None:
    before = watched.until(lambda one: one.value("healthbook_event_lateness_seconds_count"))
    worker = next(pid for pid in children_of(watched.service.process.pid) if runs_worker(pid, watched))
    os.kill(worker, signal.SIGKILL)
    after = watched.until(lambda one: one.value("healthbook_restarts_total", process="worker"))
    for name in ("healthbook_event_lateness_seconds_count", "healthbook_requests_total"):
        assert after.value(name) >= before.value(name)
    assert after.value("healthbook_database_connections_max") == 100


def children_of(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs_worker(pid: int, watched: Watched) -> bool:
    """No other process times timers."""
    files = Path("/tmp").glob(f"healthbook-figures-{watched.service.process.pid}-*/histogram_{pid}.db")
    return any(
        "healthbook_timer_lateness_seconds" in key
        for file in files
        for key, *_ in MmapedDict.read_all_values_from_file(str(file))
    )


def test_the_directory_of_figures_goes_with_the_service(place: Path) -> None:
    port = free_port()
    running = start_service(place, workers=1, METRICS_PORT=str(port))
    directories = list(Path("/tmp").glob(f"healthbook-figures-{running.process.pid}-*"))
    assert len(directories) == 1
    running.stop()
    assert not directories[0].exists()
