"""What the sender should mend, row by row: nothing that starts a formula, and nothing about other people."""

import ast
import csv
import io
import itertools
import os
import re
import tracemalloc
from pathlib import Path
from typing import get_args
from uuid import UUID

from ehr.quarantine.models import ReturnCode
from ehr.quarantine.units import list_waiting, return_to_sender
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.people import make_citizen, make_doctor, make_facility
from tests.vaccination.first_fill.doses import HEADINGS, dose, file_of, take
from vaccination.first_fill.cleaning import (
    CELL_MAX,
    NOT_TAKEN,
    TAKEN,
    TEXTS,
    write_cleaning_list,
    write_row_list,
)
from vaccination.first_fill.service import OPERATORS_ONLY, Fill

LONG = 100_000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 4000
ROOT = Path(__file__).resolve().parents[3]


def quoted(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(HEADINGS)
    writer.writerows([row.get(name, "") for name in HEADINGS] for row in rows)
    return out.getvalue().encode()


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def cleaning_list(fill: Fill) -> list[list[str]]:
    out = io.BytesIO()
    lines = await write_cleaning_list(fill, out)
    made = rows_of(out.getvalue())
    assert len(made) == lines + 1
    return made[1:]


async def test_each_line_says_the_row_the_field_what_stands_there_and_what_to_do(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    rows = [
        dose(citizen, dose_id="A"),
        dose(citizen, dose_id="B", given_on="31/02/2021", sex="?"),
        dose(citizen, dose_id="C", given_on="06/08/2021", facility=""),
        dose(citizen, dose_id="A"),
    ]
    fill, _ = await take(store, clock, file_of(tmp_path, quoted(rows)))
    assert await cleaning_list(fill) == [
        ["3", NOT_TAKEN, "B", "Giới tính", "?", "bad-code", TEXTS["bad-code"]],
        ["3", NOT_TAKEN, "B", "Ngày tiêm", "31/02/2021", "bad-date", TEXTS["bad-date"]],
        ["4", TAKEN, "C", "Cơ sở tiêm", "", "missing-field", TEXTS["missing-field"]],
        ["5", NOT_TAKEN, "A", "", "", "duplicate-row", TEXTS["duplicate-row"]],
    ]


async def test_s35_no_cell_of_the_list_starts_a_formula(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    rows = [dose(dose_id=text, given_on=text, sex=text) for text in HOSTILE_TEXTS]
    fill, summary = await take(store, clock, file_of(tmp_path, quoted(rows)))
    assert summary.refused == len(rows)
    for write in (write_cleaning_list, write_row_list):
        out = io.BytesIO()
        lines = await write(fill, out)
        data = out.getvalue()
        assert lines >= len(rows)
        assert data.count(b"\n") == lines + 1
        for cell in (cell for row in rows_of(data) for cell in row):
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
            assert len(cell) <= CELL_MAX + 1


async def test_s19_the_list_is_the_same_for_numbers_that_somebody_has_and_that_nobody_has(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    other = await make_citizen(store, clock)
    await take(
        store, clock, file_of(tmp_path, quoted([dose(other, dose_id="X")]), "covid.csv"), "national-covid"
    )
    rows = [
        dose(citizen, dose_id="1"),
        dose(dose_id="1", national_id="079188000099"),
        dose(citizen, dose_id="1", full_name="Người Khác"),
        dose(other, dose_id="1"),
    ]
    lists = []
    for number, row in enumerate(rows):
        both = quoted([row, row | {"dose_id": "2"}, row | {"dose_id": "3", "lot_number": "", "facility": ""}])
        fill, _ = await take(store, clock, file_of(tmp_path, both, f"{number}.csv"))
        lists.append(await cleaning_list(fill))
    conflicting = lists.pop(2)
    assert lists[0] == lists[1] == lists[2]
    assert conflicting == lists[0]


async def test_the_operator_sees_every_row_of_which_anything_is_to_be_said(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    rows = [dose(citizen), dose(citizen, dose_id="2", sex="Nam"), dose(citizen, dose_id="3", sex="x")]
    fill, _ = await take(store, clock, file_of(tmp_path, quoted(rows)))
    out = io.BytesIO()
    await write_row_list(fill, out)
    assert rows_of(out.getvalue()) == [
        ["row", "status", "code", "field"],
        ["3", "quarantined", "identity-conflict", "Patient"],
        ["3", "quarantined", "dose-twice", "row"],
        ["4", "refused", "bad-code", "sex"],
    ]
    assert citizen.number.encode() not in out.getvalue()


async def test_a_row_that_an_officer_sends_back_stands_in_the_list_from_then_on(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    officer = await make_doctor(store, clock, await make_facility(store, clock), "registry-officer")
    path = file_of(tmp_path, quoted([dose(citizen), dose(citizen, dose_id="2", sex="Nam")]))
    fill, _ = await take(store, clock, path)
    assert await cleaning_list(fill) == [["3", TAKEN, "2", "", "", "dose-twice", TEXTS["dose-twice"]]]
    async with store.transaction() as tx:
        waiting = await list_waiting(tx, "unit", None, UUID(int=0), 500)
        (one,) = [one for one in waiting if one.receipt_id == fill.file_id]
        await return_to_sender(tx, one.quarantine_id, "sex-wrong", officer.actor, "đối chiếu", clock.now())
    again, _ = await take(store, clock, path)
    assert await cleaning_list(again) == [["3", NOT_TAKEN, "2", "", "", "sex-wrong", TEXTS["sex-wrong"]]]


async def test_s33_a_long_file_and_its_list_take_a_few_megabytes(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    head, row = quoted([dose(citizen)]).split(b"\r\n")[:2]
    path = tmp_path / "doses.csv"
    with path.open("wb") as out:
        out.writelines(line + b"\r\n" for line in itertools.chain([head], itertools.repeat(row, LONG)))
    tracemalloc.start()
    try:
        fill, summary = await take(store, clock, path)
        with (tmp_path / "list.csv").open("wb") as out:
            lines = await write_cleaning_list(fill, out)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (summary.imported, summary.refused, lines) == (1, LONG - 1, LONG - 1)
    assert peak < 24 * 1024 * 1024, peak


def test_every_reason_has_words() -> None:
    """Codes stand as texts in what reads, maps and takes rows in."""
    sources = [
        *sorted((ROOT / "vaccination" / "first_fill").glob("*.py")),
        ROOT / "ehr" / "rows" / "reading.py",
    ]
    calls = [
        node
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason"
    ]
    codes = {
        one.args[0].value for one in calls if isinstance(one.args[0], ast.Constant) and len(one.args) == 2
    }
    of_files = {"missing-column", "duplicate-column", "unknown-column", "bad-fields"}
    assert len(codes) > 20
    assert codes - of_files <= TEXTS.keys()
    assert {*get_args(ReturnCode), *OPERATORS_ONLY} <= TEXTS.keys()
    assert all(re.fullmatch(r"[a-z-]+", code) and text.endswith(".") for code, text in TEXTS.items())
