"""Dose files as they come: any encoding, any size, any damage; each row is told for itself."""

import io
import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from ehr.intake.models import BadInputError, Reason
from tests.vaccination.first_fill.doses import FIELDS, HEADINGS, dose, table
from vaccination.first_fill import reading
from vaccination.first_fill.models import Given
from vaccination.first_fill.reading import LINE_BYTES_MAX, Columns, read_doses

ROWS = 100_000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 20_000


def read(body: bytes, columns: Columns | None = None) -> list[Given]:
    return list(read_doses(io.BytesIO(body), columns or Columns(FIELDS)))


def told(body: bytes) -> list[tuple[int, list[str]]]:
    return [(one.number, [reason.code for reason in one.reasons]) for one in read(body)]


def refused(body: bytes) -> list[Reason]:
    with pytest.raises(BadInputError) as error:
        read(body)
    return error.value.reasons


def test_the_same_rows_are_read_from_every_form() -> None:
    rows = [dose(dose_id="1"), dose(dose_id="2", full_name="Lê, Thị; Hai", next_on="")]
    quoted = [{key: f'"{text}"' for key, text in row.items()} for row in rows]
    forms = [
        table(quoted, divider=";"),
        table(quoted, divider=","),
        table(quoted).replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf") + b"\n",
        json.dumps(rows, ensure_ascii=False).encode("utf-8-sig"),
        json.dumps(rows, indent=2).encode(),
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(),
        json.dumps([row | {"dose_number": 1, "next_on": None} for row in rows]).encode(),
    ]
    wanted = [one.row.fields for one in read(forms[0]) if one.row]
    assert len(wanted) == 2
    assert wanted[1]["full_name"] == "Lê, Thị; Hai"
    for form in forms:
        assert [one.row.fields for one in read(form) if one.row] == wanted
    assert [one.number for one in read(forms[0])] == [2, 3]
    assert [one.number for one in read(forms[3])] == [1, 2]


def test_headings_are_compared_without_case_tones_and_signs_and_unknown_ones_are_told() -> None:
    titles = {one.name: one.title for one in FIELDS.fields}
    row = dose()
    columns = Columns(FIELDS)
    spelt = [*(titles[name].upper() for name in HEADINGS), "Tên mẹ", "=1+1", ""]
    body = "\n".join([",".join(spelt), ",".join([*(row[name] for name in HEADINGS), "a", "b", ""])])
    (only,) = read(body.encode(), columns)
    assert only.row is not None
    assert only.row.fields == {name: text for name, text in row.items() if text}
    assert columns.other == ["Tên mẹ", "=1+1"]


def test_a_file_without_what_a_row_needs_is_refused_before_any_row() -> None:
    assert refused(b"") == refused(table([])) == [Reason("no-rows", "file")]
    assert refused(b"a;b\n1;2\n") == [
        Reason("missing-column", name) for name in ("full_name", "birth_date", "sex", "vaccine", "given_on")
    ] + [Reason("missing-column", "national_id")]
    twice = table([dose()], (*HEADINGS, "SO_CCCD"))
    assert refused(twice) == [Reason("duplicate-column", "national_id")]
    assert refused(b'"open') == [Reason("bad-csv", "file")]
    assert refused(b";".join([b"x"] * 300) + b"\n1\n") == [Reason("too-many-columns", "file")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_named(encoding: str) -> None:
    text = table([dose()]).decode("utf-8-sig")
    assert refused(text.encode(encoding)) == [Reason("bad-encoding", "file")]


def test_a_row_of_another_encoding_stops_no_other() -> None:
    lines = table([dose(dose_id=str(n)) for n in range(3)]).split(b"\r\n")
    lines[2] = lines[2].decode().encode("cp1258", "replace").replace(b"?", b"\xd0")
    assert told(b"\r\n".join(lines)) == [(2, []), (3, ["bad-encoding"]), (4, [])]
    rows = [json.dumps(dose(dose_id=str(n)), ensure_ascii=False).encode() for n in range(3)]
    rows[1] = rows[1].replace("Đặng".encode(), b"\xd0\xe6")
    assert told(b"[" + b",".join(rows) + b"]") == [(1, []), (2, ["bad-encoding"]), (3, [])]


def test_damaged_rows_are_told_and_the_others_are_read() -> None:
    head = ";".join(HEADINGS)
    good = ";".join(dose()[name] for name in HEADINGS)
    bad = {
        "bad-csv": good.replace("Vero Cell", '"Vero" Cell'),
        "wrong-cell-count": good + ";more",
        "too-long": good.replace("Vero Cell", "x" * (LINE_BYTES_MAX * 3)),
        "bad-text": good.replace("Vero Cell", "Vero\x00Cell"),
        "missing-field": good.replace("Vero Cell", " "),
    }
    lines = [head, *(line for text in bad.values() for line in (text, good)), "", ";;;"]
    assert told("\n".join(lines).encode()) == [
        (2 + 2 * place + beside, [code] if beside == 0 else [])
        for place, code in enumerate(bad)
        for beside in (0, 1)
    ]
    few = [dose(vaccine="x" * 201), dose()]
    assert [reasons for _, reasons in told(table(few))] == [["too-long"], []]


def test_a_quote_that_nothing_closes_spoils_its_own_row_alone() -> None:
    rows = [dose(dose_id=str(n)) for n in range(60)]
    rows[3]["vaccine"] = '"Vero Cell'
    rows[59]["vaccine"] = '"Vero'
    assert [number for number, reasons in told(table(rows)) if reasons] == [5, 61]
    broken = [dose(vaccine='"Vero\nCell"'), dose()]
    (first, second) = read(table(broken))
    assert (first.cells["vaccine"], first.number, second.number) == ("Vero\nCell", 2, 3)


def test_damaged_json_is_told_row_by_row_as_far_as_it_is_json() -> None:
    good = json.dumps(dose())
    rows = ["[1]", '"text"', '{"sex": {"a": 1}}', '{"sex": "Nam", "sex": "Nam"}', '{"sex": true}', good]
    assert told(f"[{','.join(rows)}]".encode()) == [
        (1, ["bad-type"]),
        (2, ["bad-type"]),
        (3, ["bad-type"]),
        (4, ["duplicate-field"]),
        (5, ["bad-type"]),
        (6, []),
    ]
    long = good.replace("Vero Cell", "x" * (2 * LINE_BYTES_MAX))
    assert told(f"[{long},{good}]".encode()) == [(1, ["too-long"]), (2, [])]
    # Wherever such a row lies in the pieces that are read.
    longs = [good.replace("Vero Cell", "x" * 300_000)] * 12
    assert [reasons for _, reasons in told(f"[{','.join([*longs, good])}]".encode())] == [
        ["too-long"]
    ] * 12 + [[]]
    endless = good.replace("Vero Cell", "x" * 9_000_000)
    assert told(f"[{good},{endless},{good}]".encode()) == [(1, []), (2, ["bad-json"])]
    for rest in (",{", ",", "", ",]", "] x", ",NaN]", ",{'a':1}]", "," + "[" * 100_000):
        assert told(f"[{good}{rest}".encode())[:2] == [(1, []), (2, ["bad-json"])], rest
    assert told(b"[" + b"[" * 200_000) == [(1, ["bad-json"])]
    assert told(good.encode() + b"\n{") == [(1, []), (2, ["bad-json"])]
    assert refused(b"[]") == [Reason("no-rows", "file")]
    both = json.dumps(dose() | {"SO_CCCD": "079188000001"}).encode()
    assert told(both) == [(1, ["duplicate-field"])]


def test_more_rows_than_a_file_may_have_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_MAX", 3)
    rows = [dose(dose_id=str(n)) for n in range(6)]
    assert told(table(rows))[-1] == (4, ["too-many-rows"])
    assert len(read(table(rows))) == 3


def _of_csv() -> Iterator[bytes]:
    yield table([]) + b"\r\n"
    for number in range(ROWS):
        huge = "x" * 1_000_000 if number % (ROWS // 10) == 0 else "Vero Cell"
        yield table([dose(dose_id=str(number), vaccine=huge)]).split(b"\r\n")[1] + b"\r\n"


def _of_json() -> Iterator[bytes]:
    yield b"["
    for number in range(ROWS):
        huge = "x" * 300_000 if number % (ROWS // 10) == 0 else "Vero Cell"
        yield (b"," if number else b"") + json.dumps(dose(dose_id=str(number), vaccine=huge)).encode()
    yield b"]"


@pytest.mark.parametrize("made", [_of_csv, _of_json])
def test_s33_a_file_of_any_length_takes_a_few_megabytes(
    made: Callable[[], Iterator[bytes]], tmp_path: Path
) -> None:
    path = tmp_path / "doses"
    with path.open("wb") as out:
        out.writelines(made())
    counts = [0, 0]
    tracemalloc.start()
    try:
        with path.open("rb") as stream:
            for one in read_doses(stream, Columns(FIELDS)):
                counts[one.row is None] += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert counts == [ROWS - 10, 10]
    assert peak < 12 * 1024 * 1024, peak


@drawn(st.binary(max_size=400), st.sampled_from([b"", b"[", b"{", table([dose()])]))
def test_whatever_comes_is_read_or_refused(tail: bytes, head: bytes) -> None:
    try:
        rows = read(head + tail)
    except BadInputError:
        return
    assert rows
    assert all((one.row is None) == bool(one.reasons) for one in rows)
