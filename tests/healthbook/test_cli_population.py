"""`healthbook population load` as an operator meets it (security.md S26)."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg

from healthbook.population_commands import bar
from store.postgres import start_server
from tests.healthbook.conftest import environment, run_command
from tests.identity.population.lists import resident, table

SIGNED = ("--operator", "Nguyễn Văn Vận Hành", "--reason", "danh sách dân cư thử")


async def asked(installation: Path, sql: str) -> list[str]:
    server = start_server(installation / "postgres")
    try:
        connection = await asyncpg.connect(server.dsn("hb_owner"))
        rows = await connection.fetch(sql)
        await connection.close()
        return [str(row[0]) for row in rows]
    finally:
        server.stop()


async def test_s26_a_list_is_tried_then_taken_in_by_a_named_operator(
    installation: Path, tmp_path: Path
) -> None:
    path = tmp_path / "residents.csv"
    path.write_bytes(table([resident(), resident(sex="?"), resident()]))
    load = ("population", "load", str(path), "--kind", "residents")
    refused = run_command(installation, *load)
    assert refused.returncode == 2
    assert "--operator and --reason" in refused.stderr
    tried = run_command(installation, *load, "--dry-run", *SIGNED)
    assert tried.returncode == 0, tried.stderr
    report, lines = tmp_path / "report.json", tmp_path / "lines.csv"
    done = run_command(installation, *load, "--report", str(report), "--lines", str(lines), *SIGNED)
    assert done.returncode == 0, done.stderr
    assert "[##############################] 100%  line 4" in done.stderr
    said, before = json.loads(report.read_text()), json.loads(tried.stdout)
    assert (said["made"], said["refused"], said["lines"]) == (2, 1, 3)
    assert {**before, "dry_run": False} == said
    rows = list(csv.reader(lines.read_text("utf-8-sig").splitlines()))
    assert rows == [["line", "status", "reason", "field"], ["3", "refused", "bad-value", "sex"]]
    events = [
        json.loads(entry) for entry in await asked(installation, "SELECT entry FROM admin_event ORDER BY seq")
    ]
    mine = [(one["what"], one["count"]) for one in events if one["what"].startswith("population:")]
    assert mine == [("population:load-begin:residents", 1), ("population:load:residents", 3)]


def kill_after_its_first_step(installation: Path, path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "healthbook",
        "population",
        "load",
        str(path),
        "--kind",
        "residents",
        *SIGNED,
    ]
    with subprocess.Popen(
        command, env=environment(installation), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as running:
        assert running.stderr is not None
        assert b"line" in running.stderr.readline(), "the bar of its first step"
        running.send_signal(signal.SIGKILL)


async def test_a_load_that_is_killed_goes_on_and_makes_nobody_twice(
    installation: Path, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    path.write_bytes(table([resident() for _ in range(30_000)]))
    kill_after_its_first_step(installation, path)
    done = run_command(installation, "population", "load", str(path), "--kind", "residents", *SIGNED)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["made"], said["lines"]) == (30_000, 30_000)
    assert 0 < said["lines_now"] < 30_000
    listed = f"SELECT count(*) FROM person_listing WHERE load_id = '{said['load_id']}'"
    assert await asked(installation, listed) == ["30000"]


def test_a_bar_is_drawn_at_first_at_the_end_and_at_most_once_a_second() -> None:
    told: list[str] = []
    times = iter([10.0, 10.0, 10.0, 10.5, 11.5, 11.5, 11.6, 11.7])
    tell = bar(told.append, lambda: next(times))
    tell(1, 0.1)
    tell(2, 0.5)
    tell(3, 0.6)
    tell(4, 1.0)
    assert [line.split("] ")[1] for line in told] == [" 10%  line 1", " 60%  line 3", "100%  line 4"]
