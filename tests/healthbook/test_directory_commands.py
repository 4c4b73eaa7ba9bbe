"""Files of facilities and of administrative units: what is made, what is refused and why (S16, S26)."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from healthbook.cli import main
from healthbook.demo_directory import DETAILS, list_facilities
from healthbook.directory_commands import (
    FacilityReport,
    Run,
    import_facilities,
    import_places,
    new_activation,
)
from healthbook.wiring import StartError
from identity import practitioners
from identity.facility_admin import activation
from identity.facility_admin.models import FacilityCode
from identity.practitioners import active_roles
from identity.register.facilities import facility_by_code
from kernel.clock import SystemClock, local_day
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_facility
from visits.directory.service import Search, listing_of, search
from visits.places import service as places
from visits.places.reading import read_places

SAMPLES = Path(__file__).resolve().parents[2] / "healthbook" / "samples"
SIGNED = ("Trần Một + Lê Hai", "mở sổ cơ sở")
HEAD = "code,code_13,name,latitude,longitude,specialties,commune_code\n"
CLOCK = SystemClock()


async def _import(
    store: Store, folder: Path, text: str, *, dry_run: bool = False, sheets: str = "codes.csv"
) -> FacilityReport:
    path = folder / "facilities.csv"
    path.write_text(HEAD + text)
    target = None if dry_run else folder / sheets
    run = Run(signed=SIGNED, sheets=target, dry_run=dry_run)
    return await import_facilities(store, path, run, lambda _text: None)


def _codes(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["code"]: row["activation_code"] for row in csv.DictReader(file)}


async def test_each_line_is_made_or_refused_with_a_reason(store: Store, tmp_path: Path) -> None:
    text = (
        "61A01,6100000000001,Trạm Y tế Một,20.5,105.5,general-practice,\n"
        "61A0,,Mã ngắn,,,,\n"
        "61A02,61,Mã 13 sai,,,,\n"
        "61A03,,,,,,\n"
        "61A04,,Kinh độ thiếu,20.5,,,\n"
        "61A05,,Vĩ độ lạ,hai mươi,105,,\n"
        "61A06,,Chuyên khoa lạ,,,astrology,\n"
        "61A07,,Xã lạ,,,,XA-LA\n"
        "61A01,,Hai lần,,,,\n"
        "61A08,6100000000001,Mã 13 hai lần,,,,\n"
        "61A09,,Trạm Y tế Hai,,,,\n"
    )
    tried = await _import(store, tmp_path, text, dry_run=True)
    async with store.transaction() as tx:
        assert await facility_by_code(tx, "61A01", local_day(CLOCK.now())) is None
    made = await _import(store, tmp_path, text)
    assert made == tried
    assert (made.lines, made.made, made.known) == (11, 2, 0)
    assert [(one.line, one.column, one.what) for one in made.refused] == [
        (3, "code", "wrong-form"),
        (4, "code_13", "wrong-form"),
        (5, "name", "missing"),
        (6, "latitude", "position-half"),
        (7, "latitude", "no-number"),
        (8, "specialties", "specialty-unknown"),
        (9, "commune_code", "commune-unknown"),
        (10, "code", "twice-in-file"),
        (11, "code", "twice-in-file"),
    ]
    assert _codes(tmp_path / "codes.csv").keys() == {"61A01", "61A09"}
    again = await _import(store, tmp_path, text, sheets="again.csv")
    assert (again.made, again.known) == (0, 2)
    assert _codes(tmp_path / "again.csv") == {}
    async with store.transaction() as tx:
        facility = await facility_by_code(tx, "6100000000001", local_day(CLOCK.now()))
        assert facility is not None
        listing = await listing_of(tx, facility.facility_id, CLOCK.now())
        assert not isinstance(listing, Refused)
        assert listing.specialties == ["general-practice"]
        rows = await tx.fetchval("SELECT count(*) FROM admin_event WHERE entry LIKE '%facilities:import%'")
        assert rows == 1, "a step that made none leaves none"


async def test_a_refused_line_says_whose_it_is_what_is_wrong_and_what_is_allowed(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "facilities.csv"
    path.write_text(
        "code,name,short_name,discreet_name,latitude,longitude\n"
        "65A01,,,,,\n"
        "65A02,Trạm,TYT Ví Dụ 1,,,\n"
        "65A03,Trạm,ABCDEFGHIJKLMNOPQRSTUVW,,,\n"
        "65A04,Trạm,,,91,105\n"
        "65A05,Trạm,,Phòng khám HIV,,\n"
        "65A06,Trạm,,,,,,\n"
    )
    run = Run(signed=SIGNED, dry_run=True)
    report = await import_facilities(store, path, run, lambda _text: None)
    assert [(one.code, one.column, one.what) for one in report.refused] == [
        ("65A01", "name", "missing"),
        ("65A02", "short_name", "tone-marks"),
        ("65A03", "short_name", "too-long"),
        ("65A04", "latitude", "out-of-range"),
        ("65A05", "discreet_name", "discreet-name-tells"),
        ("65A06", "", "too-many-cells"),
    ]
    assert "20 ký tự không dấu" in report.refused[1].vi
    assert "without tone marks" in report.refused[1].en
    assert len({one.vi for one in report.refused}) == 6


async def test_a_run_that_stopped_goes_on_and_loses_no_code(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthbook.directory_commands.AT_ONCE", 2)
    lines = [f"62A{number:02d},,Trạm {number},,,,\n" for number in range(5)]
    bad = tmp_path / "facilities.csv"
    bad.write_bytes((HEAD + "".join(lines[:4])).encode() + b"\xff\xfe broken")
    run = Run(signed=SIGNED, sheets=tmp_path / "one.csv")
    with pytest.raises(StartError, match="UTF-8"):
        await import_facilities(store, bad, run, lambda _text: None)
    report = await _import(store, tmp_path, "".join(lines), sheets="two.csv")
    assert report.made + report.known == 5
    codes = _codes(tmp_path / "one.csv") | _codes(tmp_path / "two.csv")
    assert codes.keys() == {f"62A{number:02d}" for number in range(5)}


async def _redeem(
    store: Store, code: str, name: str = "Nguyễn Quản Trị"
) -> practitioners.InitialSecrets | str:
    now = CLOCK.now()
    async with store.transaction() as tx:
        opened = await activation.look_at(tx, code, "192.0.2.0/24", now)
    if isinstance(opened, Refused):
        return opened.problem.code
    prepared = await practitioners.prepare_credential(store.keys, now)
    async with store.transaction() as tx:
        return await activation.redeem(tx, store.keys, code, name, prepared, now)


async def test_s16_a_code_makes_one_administrator_of_one_facility(store: Store, tmp_path: Path) -> None:
    await _import(store, tmp_path, "63A01,,Trạm,,,,\n63A02,,Trạm khác,,,,\n")
    code = _codes(tmp_path / "codes.csv")["63A01"]
    typed = f" {code.lower().replace('-', ' ')} "
    made = await _redeem(store, typed)
    assert not isinstance(made, str)
    assert made.user_name == "qt.63a01"
    async with store.transaction() as tx:
        roles = await active_roles(tx, made.actor_id, CLOCK.now())
        facility = await facility_by_code(tx, "63A01", local_day(CLOCK.now()))
    assert facility is not None
    assert [(one.role, one.facility_id) for one in roles] == [("facility-admin", facility.facility_id)]
    assert await _redeem(store, code) == "facility-code-refused"
    assert await _redeem(store, "AAAA" * 6) == "facility-code-refused"

    lost = _codes(tmp_path / "codes.csv")["63A02"]
    fresh = await new_activation(store, "63A02", SIGNED)
    assert await _redeem(store, lost) == "facility-code-refused"
    second = await _redeem(store, fresh.code)
    assert not isinstance(second, str)
    with pytest.raises(StartError):
        await new_activation(store, "63ZZZ", SIGNED)


async def test_no_code_rests_in_the_database(store: Store, owner: Store, tmp_path: Path) -> None:
    await _import(store, tmp_path, "64A01,,Trạm,,,,\n")
    code = _codes(tmp_path / "codes.csv")["64A01"].replace("-", "")
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT facility_activation::text AS row FROM facility_activation")
    assert code not in str(rows)
    assert FacilityCode.__struct_fields__ == ("facility_id", "code", "expires_at")


async def test_the_sample_of_places_says_that_it_is_one_and_stands_side_by_side(store: Store) -> None:
    report = await import_places(store, SAMPLES / "places_SAMPLE.csv", dry_run=False, signed=SIGNED)
    assert (report.units, report.refused) == (8, [])
    again = await import_places(store, SAMPLES / "places_SAMPLE.csv", dry_run=False, signed=SIGNED)
    assert again == report
    before, after = date(2025, 6, 30), date(2025, 7, 1)
    async with store.transaction() as tx:
        old = await places.in_force(tx, "province", None, before, None, 100)
        new = await places.in_force(tx, "province", None, after, None, 100)
        assert [one.code for one in old] == ["MAU-2", "MAU-1"]
        assert [one.code for one in new] == ["MAU-A"]
        assert all("không phải dữ liệu thật" in one.source for one in (*old, *new))
        [split] = await places.meanings(tx, "commune", "MAU-1-1-2")
        assert split.became == ["MAU-A-1", "MAU-A-2"]
        [joined] = await places.meanings(tx, "commune", "MAU-A-1")
        assert joined.came_from == ["MAU-1-1-1", "MAU-1-1-2"]
        assert await places.is_known(tx, "MAU-1-1-1", None)
        assert not await places.is_known(tx, "MAU-1-1-1", after)


async def test_the_demo_shows_communes_before_and_after_the_reform(store: Store, clock: FrozenClock) -> None:
    made = {key: await make_facility(store, clock) for key in DETAILS}
    await list_facilities(store, made, clock.now() - timedelta(days=900), clock.now())
    async with store.transaction() as tx:
        for code, keys in (
            ("MAU-A-2", {"hospital", "clinic"}),
            ("MAU-1-1-1", {"station"}),
            ("MAU-1-1-2", {"clinic", "hospital"}),
        ):
            found = await search(tx, Search(commune_code=code), clock.now())
            assert not isinstance(found, Refused)
            assert {one.row.facility_id for one in found.items} == {made[key].facility_id for key in keys}


PLACE_HEAD = "level,code,name,parent_code,valid_from,valid_until,became,source\n"


@pytest.mark.parametrize(
    ("line", "column", "what"),
    [
        ("planet,X,Tên,,2025-07-01,,,nguồn", "level", "not-allowed"),
        ("province,x y,Tên,,2025-07-01,,,nguồn", "code", "not-allowed"),
        ("province,X,,,2025-07-01,,,nguồn", "name", "not-allowed"),
        ("province,X,Tên,,hôm nay,,,nguồn", "valid_from", "no-date"),
        ("province,X,Tên,,2025-07-01,2025-06-30,,nguồn", "valid_until", "before-valid-from"),
        ("province,X,Tên,,2025-07-01,,,", "source", "not-allowed"),
        ("commune,X,Tên,,2025-07-01,,,nguồn", "parent_code", "not-allowed"),
        ("commune,X,Tên,Y,2025-07-01,,,nguồn", "parent_code", "not-in-file"),
        ("province,X,Tên,,2025-07-01,,Y,nguồn", "became", "unit-in-force"),
        ("province,X,Tên,,2020-07-01,2025-06-30,Y,nguồn", "became", "not-in-file"),
        ("province,P,Tên,,2025-07-02,,,nguồn", "valid_from", "overlaps-another-line"),
    ],
)
async def test_a_file_of_places_with_one_wrong_line_is_not_taken(
    store: Store, tmp_path: Path, line: str, column: str, what: str
) -> None:
    path = tmp_path / "places.csv"
    path.write_text(PLACE_HEAD + "province,P,Tỉnh,,2025-07-01,,,nguồn\n" + line + "\n")
    report = await import_places(store, path, dry_run=False, signed=SIGNED)
    assert [(one.line, one.column, one.what) for one in report.refused] == [(3, column, what)]
    async with store.transaction() as tx:
        assert await places.meanings(tx, "province", "P") == []


def test_a_file_that_is_no_table_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00")
    assert [one.what for one in read_places(path).bad] == ["not-utf-8-csv"]
    path.write_text("code,name\n1,2\n")
    assert {one.what for one in read_places(path).bad} == {"column-missing"}


def test_facilities_are_not_made_without_a_place_for_their_codes(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text(HEAD)
    told = CliRunner().invoke(main, ["admin", "facilities", "import", str(path)])
    assert told.exit_code == 2
    assert "--sheets" in told.output
    told = CliRunner().invoke(main, ["admin", "facilities", "import", str(path), "--sheets", str(path)])
    assert told.exit_code == 2
