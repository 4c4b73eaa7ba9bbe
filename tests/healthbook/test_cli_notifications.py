"""`healthbook notifications`, as an operator runs it."""

import json
from pathlib import Path

from tests.healthbook.conftest import run_command
from tests.healthbook.test_cli import SIGNED, events


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
    assert [row for row in await events(installation) if "notifications:retry" in row]
