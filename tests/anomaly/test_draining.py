"""An instance that is stopped under load answers everybody, and another one goes on."""

import http.client
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle, islice
from pathlib import Path

import asyncpg
import pytest

from healthbook.demo_sheet import DemoSheet, load_sheet
from store.postgres import Server, start_server
from tests.anomaly.afterwards import row_of_load
from tests.anomaly.drill import LARGE, Row
from tests.support.balancing import SUMMARY, Balancer, Client, Load, OneDoor
from tests.support.client import Api, App, Staff
from tests.support.nginx import nginx_before
from tests.support.service import Service, start_service

RESTARTS = 6 if LARGE else 1
BETWEEN = 400 if LARGE else 60
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'access_log'::regclass"


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


@pytest.fixture(scope="module")
def database(place: Path) -> Iterator[Server]:
    """A PostgreSQL of its own, which outlives the instances."""
    running = start_server(place / "postgres")
    yield running
    running.stop()


@contextmanager
def instance(place: Path, drain_seconds: int) -> Iterator[Service]:
    service = start_service(place, "--no-worker", workers=2, DRAIN_SECONDS=str(drain_seconds))
    try:
        yield service
    finally:
        service.kill()


def test_readiness_goes_red_first_and_everything_is_answered_meanwhile(
    place: Path, sheet: DemoSheet, database: Server
) -> None:
    with instance(place, drain_seconds=120) as service:
        token = App.of_sheet(Api(service.base_url), sheet.citizens[0]).token()
        client = Client(service.port)
        before = client.get("/health/ready")
        assert (before.status, before.closes) == (200, False)
        service.process.send_signal(signal.SIGTERM)
        while client.get("/health/ready").status == 200:
            time.sleep(0.01)
        assert client.get("/health/ready").body["errors"] == [{"where": "stopping"}]
        for path in ("/health/live", SUMMARY):
            meanwhile = client.get(path, token)
            assert (meanwhile.status, meanwhile.closes) == (200, True), path
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0, "a second signal ends the wait"


async def test_what_is_under_way_when_the_instance_stops_is_answered(
    place: Path, sheet: DemoSheet, database: Server
) -> None:
    with instance(place, drain_seconds=0) as service:
        token = App.of_sheet(Api(service.base_url), sheet.citizens[1]).token()
        answers = list[int]()
        asking = [
            threading.Thread(target=lambda: answers.append(Client(service.port).get(SUMMARY, token).status))
            for _ in range(8)
        ]
        async with log_held(database) as owner:
            for one in asking:
                one.start()
            waiting = 0
            while waiting < len(asking):
                waiting = await owner.fetchval(WAITING)
            service.process.send_signal(signal.SIGTERM)
            wait_until_closed(service.port)
            assert answers == []
        for one in asking:
            one.join(60)
        assert answers == [200] * len(asking)
        assert service.process.wait(60) == 0


@asynccontextmanager
async def log_held(database: Server) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """No read is answered meanwhile: each writes a row of the access log first."""
    connection = await asyncpg.connect(database.dsn("hb_owner"))
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE access_log IN EXCLUSIVE MODE")
            yield connection
    finally:
        await connection.close()


def wait_until_closed(port: int) -> None:
    """Until nobody listens any more."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.connect()
        except ConnectionRefusedError:
            return
        finally:
            connection.close()
        time.sleep(0.02)


@pytest.mark.drill
async def test_instances_restarted_one_after_the_other_under_load_lose_no_request(
    place: Path, sheet: DemoSheet, database: Server, report: Callable[[Row], None]
) -> None:
    with instance(place, drain_seconds=1) as one, instance(place, drain_seconds=1) as other:
        load = Load(
            Balancer([one.port, other.port]),
            App.of_sheet(Api(one.base_url), sheet.citizens[2]).token(),
            Staff.sign_in(Api(one.base_url), sheet.practitioners[0]).token,
        )
        with load.running(clients=3):
            for leaving in islice(cycle((one, other)), RESTARTS):
                load.wait_for(BETWEEN)
                leaving.process.send_signal(signal.SIGTERM)
                assert leaving.process.wait(60) == 0
                again = start_service(place, "--no-worker", workers=2, port=leaving.port, DRAIN_SECONDS="1")
                leaving.process = again.process
            load.wait_for(BETWEEN)
    report(
        await row_of_load("Instances restarted one after the other", load, database, f"{RESTARTS} restarts")
    )
    assert load.failed == []
    assert set(load.read) == {one.port, other.port}


def test_before_the_proxy_of_our_own_an_instance_is_replaced_and_nobody_notices(
    place: Path, sheet: DemoSheet, database: Server, tmp_path: Path
) -> None:
    """It knows of no readiness: who refuses a connection is passed over, and was asked for nothing."""
    with instance(place, drain_seconds=0) as one, instance(place, drain_seconds=0) as other:
        app = App.of_sheet(Api(one.base_url), sheet.citizens[3])
        doctor = Staff.sign_in(Api(one.base_url), sheet.practitioners[1])
        with nginx_before(one.port, tmp_path, other.port) as proxy:
            load = Load(OneDoor([proxy.port]), app.token(), doctor.token, proxy.tls)
            with load.running(clients=3):
                load.wait_for(BETWEEN)
                one.process.send_signal(signal.SIGTERM)
                assert one.process.wait(60) == 0
                load.wait_for(BETWEEN)
    assert load.failed == []
