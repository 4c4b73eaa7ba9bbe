"""Lines of lists as they come: whatever a file holds, each line is read or refused with its reason."""

import io
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.population.models import Line, ListKind, Reason, Unread
from identity.population.reading import BadFileError, ListReader

TODAY = date(2026, 11, 23)
HEADING = "national_id,full_name,birth_date,sex"
GOOD = "001185000001,Trần Thị Thử,12/03/1985,Nữ"


def read(text: str | bytes, kind: ListKind = "residents") -> list[Line | Unread]:
    body = text.encode() if isinstance(text, str) else text
    return list(ListReader(kind, TODAY).read(io.BytesIO(body)))


def one(text: str, heading: str = HEADING, kind: ListKind = "residents") -> Line | Unread:
    (found,) = read(f"{heading}\n{text}\n", kind)
    return found


def why(text: str, heading: str = HEADING, kind: ListKind = "residents") -> list[tuple[str, str]]:
    found = one(text, heading, kind)
    assert isinstance(found, Unread), found
    return [(reason.code, reason.field) for reason in found.reasons]


@given(st.binary(max_size=400), st.sampled_from(["residents", "cards", "households"]))
def test_no_bytes_break_the_reader(body: bytes, kind: ListKind) -> None:
    for head in (b"", HEADING.encode() + b",household\n", b"[", b'{"national_id":"'):
        try:
            found = read(head + body, kind)
        except BadFileError:
            continue
        assert all(isinstance(line, Line | Unread) for line in found)


@given(st.lists(st.text(max_size=30), min_size=4, max_size=4))
def test_no_text_breaks_a_line_and_what_is_read_is_whole(cells: list[str]) -> None:
    names = HEADING.split(",")
    for line in read(json.dumps([dict(zip(names, cells, strict=True))])):
        if isinstance(line, Line):
            assert line.name
            assert line.birth_date <= TODAY.isoformat()
            assert line.numbers


@pytest.mark.parametrize(
    ("born", "said"),
    [
        ("12/03/1985", "1985-03-12"),
        ("1985-03-12", "1985-03-12"),
        ("12031985", "1985-03-12"),
        ("19850312", "1985-03-12"),
        ("1985", "1985"),
        ("00/03/1985", "1985-03"),
        ("00/00/1985", "1985"),
    ],
)
def test_a_birth_date_is_read_in_the_forms_that_occur(born: str, said: str) -> None:
    line = one(GOOD.replace("12/03/1985", born))
    assert isinstance(line, Line)
    assert line.birth_date == said


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        (("12/03/1985", "31/02/1985"), [("bad-value", "birth_date")]),
        (("12/03/1985", ""), [("missing", "birth_date")]),
        (("12/03/1985", "24/11/2026"), [("future-date", "birth_date")]),
        (("Nữ", "x"), [("bad-value", "sex")]),
        (("Trần Thị Thử", ""), [("missing", "full_name")]),
        (("Trần Thị Thử", "12345"), [("bad-value", "full_name")]),
        (("001185000001", ""), [("no-number", "line")]),
        (("001185000001", "0011850000"), [("bad-number", "national_id")]),
        (("001185000001", "001185000001\n"), None),
        (("Trần", '"Trần'), [("bad-csv", "line")]),
        ((",Nữ", ""), [("wrong-cell-count", "line")]),
        ((",Nữ", ",Nữ,thừa"), [("wrong-cell-count", "line")]),
    ],
)
def test_what_cannot_be_taken_is_refused_by_field(
    changed: tuple[str, str], reasons: list[tuple[str, str]] | None
) -> None:
    text = GOOD.replace(*changed)
    if reasons is None:
        assert all(isinstance(line, Unread) for line in read(f"{HEADING}\n{text}"))
        return
    assert why(text) == reasons


def test_a_quote_that_nothing_closes_spoils_its_own_line_only() -> None:
    found = read(f'{HEADING}\n001185000001,"Trần,12/03/1985,Nữ\n{GOOD}\n')
    assert [type(line) for line in found] == [Unread, Line]


def test_bytes_that_are_no_utf8_spoil_their_own_line_only() -> None:
    body = f"{HEADING}\n".encode() + GOOD.encode("utf-16-le")[:40] + b"\n" + GOOD.encode() + b"\n"
    assert [type(line) for line in read(body)][-1] is Line
    found = read(f"{HEADING}\n".encode() + GOOD.replace("Thử", "Th\xff").encode("latin-1", "ignore") + b"\n")
    assert all(isinstance(line, Unread) for line in found)


def test_a_line_without_end_is_passed_over_and_not_held() -> None:
    long = "x" * 200_000
    found = read(f"{HEADING}\n{long}\n{GOOD}\n")
    assert [type(line) for line in found] == [Unread, Line]


@pytest.mark.parametrize("shape", ["list", "lines"])
def test_json_says_the_same_as_csv(shape: str) -> None:
    row = dict(zip(HEADING.split(","), GOOD.split(","), strict=True))
    rows: list[dict[str, Any]] = [row, row | {"sex": 2}, row | {"MAHO_GIADINH": "HK-1", "la": "x"}]
    text = json.dumps(rows) if shape == "list" else "\n".join(json.dumps(one) for one in rows)
    reader = ListReader("residents", TODAY)
    first, second, third = reader.read(io.BytesIO(text.encode()))
    assert isinstance(first, Line)
    assert first[1:] == one(GOOD)[1:]
    assert isinstance(second, Line), "a number as JSON writes it"
    assert isinstance(third, Line)
    assert json.loads(third.facts) == {"household": "HK-1"}
    assert reader.other == ["la"]


def test_a_field_that_is_named_twice_is_no_line() -> None:
    row = dict(zip(HEADING.split(","), GOOD.split(","), strict=True))
    text = json.dumps(row)[:-1] + ',"sex":"Nam"}'
    (found,) = read(text)
    assert isinstance(found, Unread)


def test_a_cards_number_and_the_insureds_must_go_together() -> None:
    heading = HEADING + ",insurance_card,insurance_number"
    line = one(f"{GOOD},HS4791234567890,", heading, "cards")
    assert isinstance(line, Line)
    assert dict(line.numbers)["insurance-number"] == "1234567890"
    assert why(f"{GOOD},HS4791234567890,1234567891", heading, "cards") == [
        ("card-and-number-differ", "insurance_number")
    ]
    short = one(f"{GOOD},1234567890,", heading, "cards")
    assert isinstance(short, Line), "a new card prints ten digits"
    assert [kind for kind, _ in short.numbers] == ["insurance-number", "national-id"]


def test_what_is_left_out_of_a_line_is_told() -> None:
    heading = HEADING + ",phone,commune,groups"
    line = one(f"{GOOD},12,phường?,nhóm lạ", heading)
    assert isinstance(line, Line)
    assert line.notes == (
        Reason("bad-value", "phone"),
        Reason("bad-value", "commune"),
        Reason("unknown-group", "groups"),
    )


def test_the_files_of_the_document_are_read_whole() -> None:
    text = (Path(__file__).parents[3] / "docs" / "population.md").read_text()
    samples = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    kinds: tuple[ListKind, ...] = ("residents", "cards", "households")
    for kind, sample in zip(kinds, samples, strict=True):
        reader = ListReader(kind, TODAY)
        found = list(reader.read(io.BytesIO(sample.encode())))
        assert found
        assert all(isinstance(one, Line) and not one.notes for one in found), kind
        assert reader.other == []
