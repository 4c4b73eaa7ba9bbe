"""The release before this one serves beside it, over the schema and the rights of today."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from healthbook.demo_sheet import load_sheet
from store.postgres import Server, start_server
from tests.anomaly.afterwards import row_of_load
from tests.anomaly.drill import LARGE, Row
from tests.support import older_release
from tests.support.balancing import Balancer, Load
from tests.support.client import Api, App, Staff
from tests.support.service import Service, start_service

ANSWERS = 2000 if LARGE else 150
STATEMENTS = """
import json
import store, tests.support.sql as sql
told = {named.name: named.constant.sql for named in sql.constants()}
print(json.dumps({"from": store.__file__, "statements": told}))
"""


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return older_release.unpacked(tmp_path_factory.mktemp("older"))


@pytest.fixture(scope="module")
def database(place: Path) -> Iterator[Server]:
    """PostgreSQL with the schema of today, which outlives both."""
    running = start_server(place / "postgres")
    yield running
    running.stop()


async def test_every_statement_of_the_release_before_is_one_of_the_schema_of_today(
    older: Path, server: Server, template: str, make_database: Callable[[], object]
) -> None:
    told = json.loads(older_release.printed(older, STATEMENTS))
    assert Path(told["from"]).is_relative_to(older), "our own statements prove nothing"
    assert len(told["statements"]) > 500
    connection = await asyncpg.connect(server.dsn("hb_owner", template))
    faults = {}
    for name, sql in told["statements"].items():
        try:
            await connection.prepare(sql)
        except asyncpg.PostgresError as error:
            faults[name] = str(error)
    await connection.close()
    assert faults == {}


def test_no_right_that_the_release_before_had_was_taken_away(older: Path) -> None:
    before, now = rights_of(older), rights_of(older_release.ROOT)
    assert len(before) > 1000
    assert before - now == set()


def rights_of(release: Path) -> set[tuple[str, str, str]]:
    """Table, role, and a letter for each thing that it may do there."""
    head, *lines = (release / "tests" / "store" / "rights.txt").read_text().splitlines()
    roles = [word for word in head.split() if word.startswith("hb_")]
    return {
        (table, role, letter)
        for table, *given in map(str.split, lines)
        for role, letters in zip(roles, given, strict=True)
        for letter in letters.replace("-", "")
    }


def place_of(service: Service) -> Path:
    """Where it was started, and so whose program it is."""
    return Path(f"/proc/{service.process.pid}/cwd").resolve()


@pytest.mark.drill
async def test_two_releases_side_by_side_answer_everybody(
    older: Path, place: Path, database: Server, report: Callable[[Row], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {
        "DATABASE_URL": database.dsn("hb_api"),
        "DATABASE_OWNER_URL": database.dsn("hb_owner"),
        "DATABASE_DELIVERY_URL": database.dsn("hb_delivery"),
    }
    sheet = load_sheet(place / "demo.json")
    now = start_service(place, workers=1, **addresses)
    monkeypatch.chdir(older)
    before = start_service(place, workers=1, **addresses, **older_release.environment(older))
    try:
        assert place_of(before) == older
        load = Load(
            Balancer([now.port, before.port]),
            App.of_sheet(Api(now.base_url), sheet.citizens[0]).token(),
            Staff.sign_in(Api(before.base_url), sheet.practitioners[0]).token,
        )
        with load.running(clients=3):
            load.wait_for(ANSWERS)
    finally:
        before.stop()
        now.stop()
    note = f"{load.read.count(before.port)} reads by the older one, with a worker of each"
    report(await row_of_load("Two releases side by side", load, database, note))
    assert load.failed == []
    assert set(load.read) == {now.port, before.port}
