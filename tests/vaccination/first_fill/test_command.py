"""`healthbook import doses` as an operator runs it, killed in the middle and given again."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg

from store.postgres import start_server
from tests.healthbook.conftest import ROOT, environment, installation, run_command
from tests.vaccination.first_fill.doses import COVID, EPI, dose, file_of, table

__all__ = ["installation"]

ROWS = 400
OPERATOR = "Nguyễn Văn Vận Hành"
SIGNED = ("--operator", OPERATOR, "--reason", "nạp dữ liệu tiêm chủng lần đầu")


def rows_of(count: int = ROWS) -> list[dict[str, str]]:
    made = [dose(dose_id=f"TC-{n}", national_id=f"0791880{n:05d}") for n in range(count)]
    made[7]["given_on"] = "=1+1"
    made[-2]["sex"] = "?"
    return made


async def asked(place: Path, *questions: str) -> list[object]:
    server = start_server(place / "postgres")
    try:
        connection = await asyncpg.connect(server.dsn("hb_owner"))
        found = [await connection.fetchval(question) for question in questions]
        await connection.close()
        return found
    finally:
        server.stop()


def wait_for_the_database_to_stop(place: Path) -> None:
    """That of a command that was killed stops by itself."""
    for _ in range(600):
        if not [*place.rglob("postmaster.pid")]:
            return
        time.sleep(0.1)
    raise AssertionError("the database outlives its command")


DOSES = "SELECT count(*) FROM ehr_resource WHERE rtype = 'Immunization' AND NOT deleted"
PEOPLE = "SELECT count(*) FROM citizen"


async def test_a_command_that_was_killed_goes_on_and_its_lists_are_whole(
    installation: Path,
    tmp_path: Path,
) -> None:
    path, list_ = file_of(tmp_path, table(rows_of())), tmp_path / "cleaning.csv"
    command = ("import", "doses", str(path), "--system", EPI, "--cleaning-list", str(list_), *SIGNED)
    running = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here
        [sys.executable, "-m", "healthbook", *command],
        cwd=ROOT,
        env=environment(installation),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    said = running.stderr.readline()
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stderr.close()
    wait_for_the_database_to_stop(installation)
    assert said.startswith("row "), said
    assert not list_.exists()
    doses, people, stopped = await asked(
        installation, DOSES, PEOPLE, "SELECT rows_done FROM first_fill_file WHERE finished_at IS NULL"
    )
    assert isinstance(doses, int)
    assert isinstance(stopped, int)
    assert 0 < doses < ROWS - 2
    assert doses == people
    done = run_command(installation, *command)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["imported"], report["refused"], report["quarantined"]) == (ROWS - 2, 2, 0)
    assert report["rows_now"] == ROWS - (stopped - 1)
    assert await asked(installation, DOSES, PEOPLE) == [ROWS - 2, ROWS - 2]
    with list_.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.reader(stream))[1:]
    assert [line[0] for line in lines] == ["9", str(ROWS)]
    assert "'=1+1" in lines[0]
    versions = "SELECT max(version) FROM ehr_resource WHERE rtype = 'Immunization'"
    assert await asked(installation, versions) == [1]
    acts = "SELECT string_agg(entry, ' ' ORDER BY entry) FROM admin_event"
    (written,) = await asked(installation, acts)
    assert f"doses:import:{EPI}" in str(written)
    assert str(written).count(f"doses:import-begin:{EPI}") == 2


def test_a_file_that_cannot_be_read_is_one_plain_line(installation: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, b"a;b\n1;2\n")
    done = run_command(installation, "import", str(path), "--system", COVID, *SIGNED)
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing-column (full_name)" in done.stderr
    unsigned = run_command(installation, "import", "doses", str(path), "--system", COVID)
    assert (unsigned.returncode, "--operator and --reason" in unsigned.stderr) == (2, True)
    fields = file_of(tmp_path, b"{}", "fields.json")
    done = run_command(installation, "import", str(path), "--system", COVID, "--fields", str(fields), *SIGNED)
    assert (done.returncode, "bad-fields" in done.stderr) == (2, True)


async def test_a_dry_run_by_command_keeps_nothing_and_says_when_all_was_refused(
    installation: Path,
    tmp_path: Path,
) -> None:
    (before,) = await asked(installation, "SELECT count(*) FROM first_fill_file")
    path, rows, report = file_of(tmp_path, table(rows_of()[7:8])), tmp_path / "rows.csv", tmp_path / "r.json"
    command = ("import", "doses", str(path), "--system", COVID, "--dry-run", "--rows", str(rows))
    done = run_command(installation, *command, "--report", str(report), *SIGNED)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Nothing was imported" in done.stderr
    assert json.loads(report.read_text())["told"] == [{"code": "bad-date", "where": "given_on", "rows": 1}]
    assert b'"2","refused","bad-date","given_on"' in rows.read_bytes()
    assert await asked(installation, "SELECT count(*) FROM first_fill_file") == [before]
