"""docs/mapping.md holds: each published field is mapped there or listed as not kept, and so it is read."""

import io
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from ehr.intake.models import Unit
from ehr.intake.treatment_xml import read_package
from tests.support import packages

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
MAPPING = Path(__file__).resolve().parents[3] / "docs" / "mapping.md"
MONEY = ("T_", "THANH_TIEN", "DON_GIA", "TYLE_", "MUC_HUONG", "NGAY_TTOAN", "NAM_QT", "THANG_QT")
# Fields that a change of this one table does not show, and why.
SHADOWED = {
    ("XML1", "MA_CSKCB"): "the code of the envelope counts; another one here is facility-mismatch",
    ("XML0", "MA_CSKCB"): "the code of the envelope counts; another one here is facility-mismatch",
    ("XML7", "MA_ME"): "acts for a newborn alone, and the person here is none",
    ("XML2", "STT"): "orders lines of one code and time, and no two here share them",
    ("XML3", "STT"): "orders lines of one code and time, and no two here share them",
    ("XML5", "STT"): "orders lines of one time, and there is one line here",
    ("XML15", "STT"): "orders lines of one time, and there is one line here",
}
OTHER = {
    "NGAY_SINH": "199103050000",
    "GIOI_TINH": "1",
    "GIOI_TINH_CON": "2",
    "MA_THE_BHYT": "GD4797900000018",
    "MA_THE_TAM": "TE1797900000018",
    "MA_BHXH": "7900000018",
    "SO_CCCD": "079190000018",
    "SO_CCCD_NND": "079190000018",
    "NGAY_VAO": "202603011200",
    "NGAY_RA": "202603091100",
    "NGAY_SINH_CON": "202603041432",
    "NGAYSINH_NND": "19910305",
    "GT_THE_DEN": "20261130",
    "KET_QUA_DTRI": "3",
    "MA_LOAI_RV": "4",
    "MA_NHOM": "2",
    "CAN_NANG": "59.00",
    "CAN_NANG_CON": "3200",
    "SO_NGAY_DTRI": "7",
    "SO_LUONG": "20",
    "DIEN_BIEN_LS": "Khác",
    "MA_LYDO_CT": "2",
    "MA_BENH_CHINH": "K30",
    "MA_BENH_KT": "E11.9",
    "MA_DINH_CHI_THAI": "1",
    "SINHCON_PHAUTHUAT": "1",
    "SINHCON_DUOI32TUAN": "1",
    "CHAN_DOAN_RV": "Khác; Tăng huyết áp",
    "NGAY_HEN_KL": "202604020900",
    "LIEU_DUNG": "2 viên/lần * 2 lần/ngày * 6 ngày [4 viên/ngày]",
    "MA_TAI_NAN": "4",
    "MA_DOITUONG_KCB": "2",
    "MA_PTTT_QT": "45.14",
}


@cache
def documented() -> dict[str, dict[str, str]]:
    """Table → field → what the document says of it."""
    found: dict[str, dict[str, str]] = {}
    table = ""
    for line in MAPPING.read_text("utf-8").splitlines():
        if heading := re.match(r"#{2,3} (XML\d+|.*)", line):
            table = heading.group(1).split()[0] if heading.group(1).startswith("XML") else ""
        elif table and line.startswith("| `"):
            names, _, said = line.strip("| ").partition(" | ")
            for name in re.findall(r"`([A-Z0-9_]+)`", names.partition(" with ")[0]):
                found.setdefault(table, {}).setdefault(name, said)
    return found


def every_field() -> list[tuple[str, str, str]]:
    try:
        listed = [(v, t, f) for v in ("4750", "3176") for t, fs in packages.fields(v).items() for f in fs]
    except pytest.skip.Exception as reason:
        return [pytest.param("", "", "", marks=pytest.mark.skip(reason=str(reason)))]  # type: ignore[list-item]
    # MA_LK names the visit in every table alike: its own test changes it in all of them.
    seen = {*SHADOWED, *((table, "MA_LK") for _, table, _ in listed)}
    return [(v, t, f) for v, t, f in listed if not ((t, f) in seen or seen.add((t, f)))]  # type: ignore[func-returns-value]


@pytest.mark.parametrize("version", ["130", "4750", "3176"])
def test_every_published_field_is_mapped_or_listed(version: str) -> None:
    missing = [
        f"{table}.{name}"
        for table, names in packages.fields(version).items()
        for name in names
        if name not in documented().get(table, {})
    ]
    assert missing == []


def test_nothing_is_documented_that_no_version_has() -> None:
    known = {(t, f) for v in ("130", "4750", "3176") for t, fs in packages.fields(v).items() for f in fs}
    assert {(t, f) for t, fs in documented().items() for f in fs} <= known


def test_what_is_not_kept_has_a_reason() -> None:
    said = [
        text for fields in documented().values() for text in fields.values() if text.startswith("not kept")
    ]
    assert len(said) > 100
    assert all(re.match(r"not kept: .{4}", text) for text in said)


def read(version: str, table: str, change: dict[str, str]) -> list[object]:
    """All that is kept of a package whose `table` has the change, in an order of its own."""
    names = ["XML0"] if table == "XML0" else None
    rows = packages.tables_of(version, names, {table: change})
    units = list(read_package(io.BytesIO(packages.package(rows)), "file", NOW))
    assert all(isinstance(unit, Unit) for unit in units), units
    return [(unit.key, unit.person, [(item.raw, item.costs) for item in unit.items]) for unit in units]  # type: ignore[union-attr]


@pytest.mark.parametrize(("version", "table", "name"), every_field())
def test_the_reader_does_what_the_document_says(version: str, table: str, name: str) -> None:
    value = packages.values(version, table)[name]
    other = OTHER.get(name) or next_value(value)
    if name == "MA_LOAI_KCB":
        other = "01" if value == "03" else "03"
    same = read(version, table, {}) == read(version, table, {name: other})
    kept = not documented()[table][name].startswith("not kept")
    assert same is not kept, f"{table}.{name}: {documented()[table][name]}"


@pytest.mark.parametrize("name", ["XML0", "XML1"])
def test_the_number_of_the_visit_names_unit_and_rows(name: str) -> None:
    """Every table says it; a line that says another than the summary is refused, so all change together."""
    tables = ["XML0"] if name == "XML0" else None

    def keys(number: str) -> tuple[str, set[str]]:
        rows = packages.tables_of("4750", tables)
        for row in (row for listed in rows.values() for row in listed if "MA_LK" in row):
            row["MA_LK"] = number
        unit = next(read_package(io.BytesIO(packages.package(rows)), "file", NOW))
        assert isinstance(unit, Unit), unit
        return unit.key, {item.key for item in unit.items}

    (one, ones), (other, others) = keys("SYN.0001"), keys("SYN.0002")
    assert one != other
    assert ones.isdisjoint(others)


def test_what_is_shadowed_is_a_field_and_has_a_reason() -> None:
    known = {(t, f) for v in ("4750", "3176") for t, fs in packages.fields(v).items() for f in fs}
    assert set(SHADOWED) <= known
    assert len(SHADOWED) == 7
    assert all(len(reason) > 20 for reason in SHADOWED.values())


def next_value(value: str) -> str:
    """Another value of the same shape."""
    if re.fullmatch(r"20\d{6}(\d{4})?", value):
        return value[:7] + ("5" if value[7] != "5" else "6") + value[8:]
    if re.fullmatch(r"[0-9]", value):
        return "2" if value == "1" else "1"
    return value + "0" if value.isdigit() else f"{value}9"


def test_money_is_kept_beside_the_record_and_nowhere_in_it() -> None:
    names = [(t, f) for t, fs in packages.fields("4750").items() for f in fs if f.startswith(MONEY)]
    assert len(names) > 40
    kept = {f"{t}.{f}" for t, f in names if "not kept" not in documented()[t][f]}
    assessed = {"XML12.TYLE_TTCT_CU", "XML12.TYLE_TTCT_MOI"}
    assert {name for name in kept - assessed if "ehr_cost" not in documented()[name[:4]][name[5:]]} == set()
    assert kept - assessed == {
        *(f"XML1.{name}" for name in ("T_TONGCHI_BV", "T_TONGCHI_BH", "T_BHTT", "T_BNCCT", "T_BNTT")),
        *("XML1.T_NGUONKHAC", "XML2.MUC_HUONG", "XML3.MUC_HUONG"),
    }


@pytest.mark.parametrize("version", packages.VERSIONS)
def test_no_amount_stands_in_a_resource_of_any_version(version: str) -> None:
    """Marked sums go in by every table; the documents made of them have none, and XML1's stand beside."""
    change = {
        table: {name: f"7777{number}" for number, name in enumerate(names, 10) if name.startswith("T_")}
        for table, names in packages.fields(version).items()
    }
    rows = packages.tables_of(version, None, change)
    units = list(read_package(io.BytesIO(packages.package(rows, old=version == "4210")), "file", NOW))
    items = [item for unit in units if isinstance(unit, Unit) for item in unit.items]
    assert items
    assert [item.rtype for item in items if "7777" in item.raw + item.hints] == []
    (costs,) = [item.costs for item in items if item.costs is not None]
    assert str(costs.total).startswith("7777")
    assert str(costs.self_paid).startswith("7777")
