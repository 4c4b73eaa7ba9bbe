"""`healthbook notifications`, as an operator runs it."""

import asyncio
import json
import socket
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from structlog.testing import capture_logs

from healthbook.metrics.offering import keep_metrics
from healthbook.settings import read_settings
from tests.healthbook.conftest import run_command
from tests.healthbook.test_cli import SIGNED, events
from tests.support.clock import FrozenClock


async def test_the_queue_is_shown_and_dead_letters_go_again_under_a_name(installation: Path) -> None:
    table = run_command(installation, "notifications", "status")
    assert table.returncode == 0, table.stderr
    assert "dead letters: 0" in table.stdout
    status = json.loads(run_command(installation, "notifications", "status", "--json").stdout)
    assert (status["waiting"], status["dead"]) == ([], 0)
    assert "Nothing died" in run_command(installation, "notifications", "dead-letters").stdout
    assert run_command(installation, "notifications", "retry").returncode == 2
    done = run_command(installation, "notifications", "retry", *SIGNED)
    assert (done.returncode, done.stdout) == (0, "0 sent again\n"), done.stderr
    unknown = run_command(installation, "notifications", "retry", str(UUID(int=1)), *SIGNED)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("0 sent again; 1 of those named is no dead letter of the last day")
    assert [row for row in await events(installation) if "notifications:retry" in row]


class Away:
    """A database that is not there."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def transaction(self) -> NoReturn:
        self.asked.set()
        raise ConnectionError


async def test_figures_are_offered_also_where_the_database_is_away(clock: FrozenClock) -> None:
    away, stop = Away(), asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = read_settings({"METRICS_PORT": str(taken.getsockname()[1])})
    with capture_logs() as logs:
        showing = asyncio.create_task(keep_metrics(away, clock, settings, stop))  # type: ignore[arg-type]
        await away.asked.wait()
        await asyncio.sleep(0)
        assert not showing.done()
        stop.set()
        await showing
    assert [log["event"] for log in logs] == ["gauges_failed"]
