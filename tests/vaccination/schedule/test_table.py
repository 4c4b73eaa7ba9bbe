"""The data of the schedule: which version is in force on which day, and data that contradicts itself."""

from datetime import date
from typing import Any

import msgspec
import pytest

from vaccination.schedule.policy import Person
from vaccination.schedule.service import plans
from vaccination.schedule.table import read, table, version_on

ROW = {"row": "a-1", "antigen": "a", "number": 1, "title_vi": "A", "confirmed": True, "source": "s"}


def version(name: str, since: str, **more: Any) -> dict[str, Any]:
    facts = {
        "version": name,
        "effective_from": since,
        "effective_confirmed": True,
        "source": "s",
        "note_vi": "",
        "catch_up_note_vi": "",
        "overdue_grace_days": 0,
        "deferral_days": 1,
        "until_age": {"years": 18},
    }
    return facts | more


def encoded(*versions: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"note": "", "versions": list(versions)})


def test_a_version_holds_from_its_day_until_the_next_begins() -> None:
    assert version_on(date(2026, 6, 30)).version == "tt10-2024"
    assert version_on(date(2026, 7, 1)).version == "tt13-2026"
    assert version_on(date(1990, 1, 1)).version == "tt10-2024", "before the first, the first"
    assert [one.effective_from for one in table().versions] == sorted(
        one.effective_from for one in table().versions
    )


def test_the_rows_of_a_new_version_decide_from_its_day_on() -> None:
    later = ROW | {"min_age": {"months": 4}}
    known = read(
        encoded(version("new", "2026-12-01", rows=[later]), version("old", "2026-01-01", rows=[ROW]))
    ).versions
    for today, due in ((date(2026, 11, 30), date(2026, 10, 1)), (date(2026, 12, 1), date(2027, 2, 1))):
        person = Person(born=date(2026, 10, 1), today=today, version=version_on(today, known))
        assert plans(person, [], [], [])[0].rows[0].due_on == due


def test_what_is_not_known_of_the_circular_of_2026_is_said() -> None:
    """Its table was not found: the rows go on, with their own source, and HPV has none."""
    now, before = version_on(date(2026, 7, 1)), version_on(date(2026, 6, 30))
    assert now.rows == before.rows
    assert [one.antigen for one in now.unscheduled] == ["hpv"]
    assert all(row.source == "TT 10/2024/TT-BYT" for row in now.rows if row.confirmed)
    assert {row.antigen for row in now.rows if row.confirmed} == {
        *("hepb", "bcg", "diphtheria", "tetanus", "pertussis")
    }


@pytest.mark.parametrize(
    "rows",
    [
        [ROW, ROW],
        [ROW, ROW | {"row": "a-3", "number": 3}],
        [ROW | {"number": 2}],
    ],
)
def test_rows_that_contradict_each_other_are_refused(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="a"):
        read(encoded(version("v", "2026-01-01", rows=rows)))


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        read(encoded(version("v", "2026-01-01", rows=[ROW | {"max_age": {"months": 1}}])))
