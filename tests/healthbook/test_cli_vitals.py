"""`healthbook vitals`, as an operator runs it."""

import csv
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from healthbook.settings import read_settings
from healthbook.wiring import load_keys, open_place, opened_store
from tests.healthbook.conftest import environment, run_command
from tests.healthbook.test_cli import SIGNED, events
from tests.support import apple_export as apple
from tests.support.clock import FrozenClock
from tests.support.people import make_person

RULES = ("vitals", "rules")
BOTH = (*SIGNED, "--with", "Lê Thị Hai")


async def test_a_limit_without_a_source_is_put_in_force_and_out_of_it_under_a_name(
    installation: Path,
) -> None:
    def line(name: str) -> str:
        listed = run_command(installation, *RULES, "list")
        assert listed.returncode == 0, listed.stderr
        return next(one for one in listed.stdout.splitlines() if one.startswith(name))

    assert line("bp-adult-high").split()[1:3] == ["in", "force"]
    assert line("hr-adult-low").split()[1] == "off"
    named = ("hr-adult-low", "--source", "Quyết định 1/QĐ-BYT")
    assert run_command(installation, *RULES, "confirm", *named).returncode == 2, "nobody named"
    for alone in ((), ("--with", SIGNED[1])):
        assert run_command(installation, *RULES, "confirm", *named, *SIGNED, *alone).returncode == 2, alone
    confirmed = run_command(installation, *RULES, "confirm", *named, *BOTH)
    assert confirmed.stdout == "hr-adult-low: in force\n"
    assert "Quyết định 1/QĐ-BYT" in line("hr-adult-low")
    unknown = run_command(installation, *RULES, "confirm", "bp-adult-high", "--source", "x", *BOTH)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert run_command(installation, *RULES, "withdraw", "hr-adult-low", *BOTH).returncode == 0
    assert run_command(installation, *RULES, "withdraw", "hr-adult-low", *BOTH).returncode == 2
    assert line("hr-adult-low").split()[1] == "off"
    rows = [row for row in await events(installation) if "vitals:rule-" in row]
    assert [row.split("vitals:rule-")[1].split('"')[0] for row in rows] == [
        "confirm-hr-adult-low",
        "withdraw-hr-adult-low",
    ]


@pytest.fixture
async def person(installation: Path, clock: FrozenClock) -> UUID:
    """Somebody in the installation."""
    place = open_place(read_settings(environment(installation)))
    try:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return (await make_person(store, clock))[0]
    finally:
        place.stop()


async def test_an_operator_takes_in_a_file_for_somebody_and_sees_why_the_rest_is_not(
    installation: Path, person: UUID, tmp_path: Path
) -> None:
    export, listed = tmp_path / "export.zip", tmp_path / "refused.csv"
    export.write_bytes(apple.archive([apple.whole(*apple.EACH)]))

    def run(*more: str, code: int = 0, path: Path = export, patient: object = person) -> dict[str, Any]:
        command = ("vitals", "import", str(path), "--patient", str(patient), *more)
        done = run_command(installation, *command)
        assert done.returncode == code, done.stderr
        said: dict[str, Any] = json.loads(done.stdout or "{}")
        return said

    run(code=2)
    run(*SIGNED, patient=UUID(int=7), code=2)
    run("--zone", "Hanoi", *SIGNED, code=2)
    tried = run("--dry-run", *SIGNED)
    assert (tried["state"], tried["stored"], tried["rejected"]) == ("done", 9, 2)
    first = run("--refused", str(listed), *SIGNED)
    assert (first["state"], first["form"], first["stored"], first["rejected"]) == (
        "done",
        "apple-health",
        9,
        2,
    )
    with listed.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["place", "what", "code", "reason_vi", "reason_en"]
    assert [row[:3] for row in rows[1:]] == [
        ["10", "HKQuantityTypeIdentifierDietaryWater", "kind-unknown"],
        ["11", "heart-rate", "implausible"],
    ]
    again = run(*SIGNED)
    assert (again["stored"], again["duplicate"], again["rejected"]) == (0, 9, 2)
    letter = tmp_path / "letter.txt"
    letter.write_text("dear doctor")
    refused = run(*SIGNED, path=letter, code=1)
    assert (refused["state"], refused["fault"]["code"]) == ("refused", "form-unknown")
    empty = tmp_path / "empty.csv"
    empty.write_text("time,kind,value,unit\n")
    assert run("--dry-run", *SIGNED, path=empty, code=1)["items"] == 0, "nothing of it was taken"
    written = [row for row in await events(installation) if "vitals:import" in row]
    assert len(written) == 6
