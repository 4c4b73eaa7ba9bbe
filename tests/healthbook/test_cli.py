"""Commands as an operator meets them: plain words, named operators, a row for each act (S26)."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import click
import msgspec
import pytest

from ehr.intake.files import import_paths
from healthbook.cli import BEFORE_THE_LOG, READ_ONLY, main
from store.database import Store
from store.postgres import start_server
from tests.audit.roots.vectors import Honest, edited, restored
from tests.audit.roots.world import public, text_of
from tests.healthbook.conftest import run_command
from tests.support.clock import FrozenClock

SIGNED = ("--operator", "Nguyễn Văn Vận Hành", "--reason", "nhập hồ sơ thử")

BY_OPERATORS = "FROM access_log WHERE actor_kind = 'operator'"

ONE_ALLERGY = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "urn:uuid:0f0c8a52-0f5b-4a4c-9d0a-5a5f2b0d5e01",
            "resource": {
                "resourceType": "Patient",
                "id": "p",
                "name": [{"text": "Thử"}],
                "birthDate": "1990",
            },
        },
        {
            "fullUrl": "urn:uuid:0f0c8a52-0f5b-4a4c-9d0a-5a5f2b0d5e02",
            "resource": {
                "resourceType": "AllergyIntolerance",
                "id": "a",
                "code": {"text": "Penicillin"},
                "patient": {"reference": "urn:uuid:0f0c8a52-0f5b-4a4c-9d0a-5a5f2b0d5e01"},
            },
        },
    ],
}


def commands() -> Iterator[tuple[str, click.Command]]:
    def walk(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                yield from walk(command, f"{before}{name} ")
            else:
                yield f"{before}{name}", command

    return walk(main, "")


def test_s26_every_command_leaves_a_row_or_is_listed() -> None:
    for name, command in commands():
        takes_operator = {"operator", "reason"} <= {parameter.name for parameter in command.params}
        assert takes_operator != (name in READ_ONLY | BEFORE_THE_LOG), name


@pytest.fixture(scope="module")
def bundle(installation: Path) -> Path:
    path = installation / "bundle.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": []}))
    return path


@pytest.fixture(scope="module")
def plan(installation: Path) -> Path:
    path = installation / "plan.json"
    operators = [{"user_name": "vh1", "name": "Trần Một"}, {"user_name": "vh2", "name": "Lê Hai"}]
    path.write_text(json.dumps({"operators": operators}))
    return path


async def events(installation: Path) -> list[str]:
    server = start_server(installation / "postgres")
    try:
        connection = await asyncpg.connect(server.dsn("hb_owner"))
        rows = await connection.fetch("SELECT entry FROM admin_event ORDER BY 1")
        await connection.close()
        return [str(row[0]) for row in rows]
    finally:
        server.stop()


def test_s26_without_an_operator_nothing_is_done(installation: Path, bundle: Path, plan: Path) -> None:
    for command in (("import", str(bundle)), ("admin", "bootstrap", str(plan))):
        for signed in ((), SIGNED[:2], SIGNED[2:]):
            done = run_command(installation, *command, *signed)
            assert done.returncode == 2, command
            assert "--operator and --reason" in done.stderr


async def test_s26_an_act_leaves_a_row_without_values(installation: Path, bundle: Path, plan: Path) -> None:
    made = run_command(installation, "admin", "bootstrap", str(plan), *SIGNED)
    assert made.returncode == 0, made.stderr
    secrets = json.loads(made.stdout)
    assert len(secrets) == 2
    imported = run_command(installation, "import", str(bundle), *SIGNED)
    assert imported.returncode == 1, imported.stderr  # an empty Bundle; the act is written down all the same
    assert json.loads(imported.stdout)["files"][0]["path"] == str(bundle)
    written = await events(installation)
    assert [what for what in ("accounts:bootstrap", "records:import") if what in "".join(written)] == [
        "accounts:bootstrap",
        "records:import",
    ]
    assert not [row for row in written for made in secrets if made["password"] in row]


def test_bootstrap_works_in_an_empty_database_only(installation: Path, plan: Path) -> None:
    run_command(installation, "admin", "bootstrap", str(plan), *SIGNED)  # whichever test came before
    again = run_command(installation, "admin", "bootstrap", str(plan), *SIGNED)
    assert again.returncode == 2
    assert again.stdout == ""


async def test_s26_a_moved_day_and_a_term_are_entered_by_name(installation: Path) -> None:
    moved = ("admin", "calendar-day", "2027-02-11", "--off")
    unsigned = run_command(installation, *moved)
    assert unsigned.returncode == 2
    for command in (moved, ("admin", "case-term", "correction", "10", "--counted", "working")):
        done = run_command(installation, *command, *SIGNED)
        assert done.returncode == 0, done.stderr
    written = "".join(await events(installation))
    assert "calendar:off:2027-02-11" in written
    assert "cases:term-correction" in written
    assert run_command(installation, "admin", "case-term", "correction", "0", *SIGNED).returncode == 2


def test_displays_are_counted(installation: Path) -> None:
    done = run_command(installation, "admin", "displays")
    assert done.returncode == 0, done.stderr
    assert "covered" in done.stdout


def test_s26_an_export_is_verified_without_an_installation(tmp_path: Path) -> None:
    """An export, roots and a kept mark are files; what is kept for the next time is one too."""
    h = Honest()
    (tmp_path / "roots.json").write_bytes(msgspec.json.encode(h.log.document()))
    (tmp_path / "pin.json").write_bytes(msgspec.json.encode(h.pin))
    (tmp_path / "log.ndjson").write_bytes(text_of(h.lines()))
    checked = verified(tmp_path, "--keep", str(tmp_path / "kept.json"))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("Nguyên vẹn: 6 dòng")
    assert "Whole: 6 rows" in checked.stdout
    assert "Public root 2 holds this log up to row 6." in checked.stdout
    assert verified(tmp_path, pin="kept.json").returncode == 0
    (tmp_path / "log.ndjson").write_bytes(text_of(edited(h.lines())))
    changed = verified(tmp_path)
    assert (changed.returncode, changed.stdout) == (1, "")
    assert "Changed: row 4 was edited." in changed.stderr
    assert not (tmp_path / "nothing").exists()


def test_s12_a_loss_that_the_log_tells_of_is_named_and_has_a_status_of_its_own(tmp_path: Path) -> None:
    case = restored()
    (tmp_path / "roots.json").write_bytes(msgspec.json.encode(case["input"]["roots"][0]))
    (tmp_path / "pin.json").write_bytes(msgspec.json.encode(case["keys"]["pin"]))
    (tmp_path / "log.ndjson").write_bytes(text_of(case["input"]["export"]))
    done = verified(tmp_path)
    assert done.returncode == 3, done.stderr
    assert "rows 3 to 6 that you once had are lost" in done.stderr


def verified(place: Path, *more: str, pin: str = "pin.json") -> "subprocess.CompletedProcess[str]":
    files = ("--roots", str(place / "roots.json"), "--pin", str(place / pin), "--witness", public("witness"))
    return run_command(place / "nothing", "audit", "verify", str(place / "log.ndjson"), *files, *more)


def test_what_cannot_be_verified_is_one_plain_line(tmp_path: Path) -> None:
    file, good = tmp_path / "page.json", tmp_path / "log.ndjson"
    file.write_text("{}")
    good.write_bytes(text_of(Honest().lines()))
    for command in (
        (),
        (str(file),),
        (str(file), "--operators"),
        (str(file), "--pin", "x"),
        (str(good), "--pin", str(file)),
        (str(good), "--roots", str(file)),
        (str(good), "--witness", "x"),
    ):
        done = run_command(tmp_path / "nothing", "audit", "verify", *command)
        assert (done.returncode, done.stdout) == (2, ""), command
        assert "Traceback" not in done.stderr


def test_s26_the_operators_log_is_verified_and_nothing_is_written(installation: Path, plan: Path) -> None:
    run_command(installation, "admin", "bootstrap", str(plan), *SIGNED)  # whichever test came before
    first, second = (run_command(installation, "audit", "verify", "--operators") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("Nguyên vẹn: ")
    assert second.stdout == first.stdout


def test_a_wrong_setting_is_one_plain_line(installation: Path) -> None:
    done = run_command(installation, "serve", PORT="eight")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip() == "PORT: Expected `int`, got `str`"


def test_without_keys_nothing_starts_and_the_reason_is_plain(tmp_path: Path) -> None:
    done = run_command(tmp_path / "nothing", "serve", PORT="0x")
    assert done.returncode == 2
    done = run_command(tmp_path / "nothing", "serve", PORT="48123")
    assert done.returncode == 2
    assert "There are no keys" in done.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_file_in_place_of_the_data_directory_is_one_plain_line(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"")
    for command in ("demo", "serve", "migrate"):
        done = run_command(place, command)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert str(place) in done.stderr


def test_keys_are_never_overwritten(installation: Path) -> None:
    done = run_command(installation, "admin", "make-keys", str(installation / "keys"))
    assert done.returncode == 2


@pytest.mark.parametrize(
    "variables",
    [
        {"HOST": "0.0.0.0"},
        {"FCM_CREDENTIALS": "/somewhere.json"},
        {"SMS_GATEWAY_URL": "https://sms.example"},
    ],
)
def test_s4_a_process_outside_its_cell_does_not_start(installation: Path, variables: dict[str, str]) -> None:
    done = run_command(installation, "serve", PORT="48124", **variables)
    assert done.returncode == 2
    assert done.stderr.strip()


def test_s4_a_demo_is_made_in_an_empty_place_only(installation: Path) -> None:
    done = run_command(installation, "demo")
    assert done.returncode == 2
    assert "empty place" in done.stderr


def test_an_import_of_which_nothing_was_taken_says_so_and_fails(installation: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{")
    done = run_command(installation, "import", str(path), *SIGNED)
    assert done.returncode == 1
    assert json.loads(done.stdout)["files"][0]["units"][0]["status"] == "rejected"
    assert "Nothing was imported" in done.stderr


async def test_s3_a_batch_is_taken_back_by_a_named_operator(installation: Path, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(ONE_ALLERGY))
    assert run_command(installation, "import", str(path), *SIGNED).returncode == 0
    act = ("import", "revert", "--credential", "operator", "--since")
    without = run_command(installation, *act, "2020-01-01T00:00+07:00")
    assert (without.returncode, "--operator and --reason" in without.stderr) == (2, True)
    for unclear in ("yesterday", "2020-01-01T00:00"):
        assert run_command(installation, *act, unclear, *SIGNED).returncode == 2
    done = run_command(installation, *act, "2020-01-01T00:00+07:00", *SIGNED)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["retracted"]["AllergyIntolerance"] == 1
    again = run_command(installation, *act, "2020-01-01T00:00+07:00", *SIGNED)
    assert not any(json.loads(again.stdout).values())
    assert len([row for row in await events(installation) if "records:revert" in row]) == 2


def test_s26_a_key_is_added_by_two_people(installation: Path) -> None:
    add = ("admin", "add-key", "cursor", *SIGNED)
    for alone in ((), ("--with", SIGNED[1]), ("--with", f" {SIGNED[1].upper()} ")):
        done = run_command(installation, *add, *alone)
        assert (done.returncode, "two people" in done.stderr) == (2, True), alone
    assert len(list((installation / "keys").glob("cursor.*.key"))) == 1
    done = run_command(installation, *add, "--with", "Lê Thị Hai")
    assert done.returncode == 0, done.stderr
    assert len(list((installation / "keys").glob("cursor.*.key"))) == 2


def test_s26_a_facility_is_let_into_the_exchange_by_two_people(installation: Path) -> None:
    allow = ("axis", "allow", "99999", "--basis", "QĐ thử 1/2026", *SIGNED)
    for alone in ((), ("--with", SIGNED[1])):
        done = run_command(installation, *allow, *alone)
        assert (done.returncode, "two people" in done.stderr) == (2, True), alone
    done = run_command(installation, *allow, "--with", "Lê Thị Hai")
    assert (done.returncode, "the code of no facility" in done.stderr) == (2, True), done.stderr


def test_s26_a_medical_limit_is_put_in_force_by_two_people(installation: Path) -> None:
    confirm = ("vitals", "rules", "confirm", "temp-low", "--source", "a guideline", *SIGNED)
    withdraw = ("vitals", "rules", "withdraw", "temp-low", *SIGNED)
    for act, said in ((confirm, "in force"), (withdraw, "as it ships")):
        for alone in ((), ("--with", SIGNED[1])):
            done = run_command(installation, *act, *alone)
            assert (done.returncode, "two people" in done.stderr) == (2, True), alone
        done = run_command(installation, *act, "--with", "Lê Thị Hai")
        assert (done.returncode, said in done.stdout) == (0, True), done.stderr


async def test_s26_an_import_by_command_is_one_row_in_the_log_of_each_person(
    store: Store, owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    for number in range(2):
        (tmp_path / f"{number}.json").write_text(
            json.dumps(ONE_ALLERGY)
            .replace("Penicillin", f"Penicillin {number}")
            .replace('"a"', f'"a{number}"')
        )
    done = await import_paths(store, clock, [tmp_path], operator="Nguyễn Văn Vận Hành")
    people = {unit.patient_id for file in done.files for unit in file.units}
    assert all(unit.status == "imported" for file in done.files for unit in file.units), done
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT patient_id, actor_name, entry FROM access_log WHERE actor_kind = 'operator'"
        )
    assert sorted(str(row["patient_id"]) for row in rows) == sorted(map(str, people))
    assert {row["actor_name"] for row in rows} == {"Nguyễn Văn Vận Hành"}
    assert all("record:import:create" in row["entry"] for row in rows)
    # What changes nothing leaves no row.
    await import_paths(store, clock, [tmp_path / "1.json"], operator="Nguyễn Văn Vận Hành")
    async with owner.transaction() as tx:
        assert await tx.fetchval(f"SELECT count(*) {BY_OPERATORS}") == len(rows)


def test_s30_the_statistics_key_is_made_once_and_never_changed(installation: Path) -> None:
    again = run_command(installation, "admin", "add-key", "statistics", *SIGNED)
    assert (again.returncode, "never changed" in again.stderr) == (2, True)
    assert run_command(installation, "admin", "first-key", "statistics").returncode == 2
    key = installation / "keys" / "statistics.0001.key"
    kept = key.read_bytes()
    key.unlink()
    try:
        assert "no key for statistics" in run_command(installation, "serve", PORT="48124").stderr
        made = run_command(installation, "admin", "first-key", "statistics")
        assert (made.returncode, key.exists()) == (0, True), made.stderr
    finally:
        key.write_bytes(kept)
        key.chmod(0o600)


def test_the_events_of_the_quarantine_can_be_asked_for(installation: Path) -> None:
    done = run_command(installation, "audit", "quarantine", "01a1fbd4-f500-7cd1-87e6-e5d5777a350c")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
