"""Security.md S30: whatever the department publishes, no difference gives a count below 5 away.

Random tables over consecutive days are published as every report in JSON and CSV. The attacker holds all
of it and knows how it was made, but not the secret that decides how a cell is rounded. A count is safe when
another table, with another count in its place, would have been published to the very same bytes.
"""

import csv as reader
import io
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import csv
from ehr.statistics import reports
from ehr.statistics.models import Cell, Cube, Figure, Key, Report, Sender
from ehr.statistics.policy import NO_RECORD, chance_by, counted_profiles, publish
from ehr.statistics.service import table_of
from kernel.rounding import BASE, rounded

TODAY = date(2026, 11, 21)
MONDAY = date(2026, 11, 16)
WEEKS = [MONDAY - timedelta(weeks=back) for back in range(4)]
SENDERS = [Sender(UUID(int=n), f"=Cơ sở {n}") for n in (1, 2)]
FULL = "|".join("75-100" for _ in counted_profiles())
POOR = "|".join("0-24" for _ in counted_profiles())

KEYS: dict[Cube, list[Key]] = {
    "people": [
        (commune, group, bands, "")
        for commune in ("00001", "")
        for group in ("under-6", "from-60")
        for bands in (NO_RECORD, FULL, POOR)
    ],
    "cases": [
        (week.isoformat(), commune, icd, "")
        for week in WEEKS
        for commune in ("00001", "")
        for icd in ("I10", "I21", "E11")
    ],
    "senders": [
        (week.isoformat(), str(sender.facility_id), status, reason)
        for week in WEEKS[:2]
        for sender in SENDERS
        for status, reason in (("imported", ""), ("rejected", "bad-date"), ("document", "discharge-letter"))
    ],
}
PLACES = [(cube, key) for cube, keys in KEYS.items() for key in keys]
Table = dict[tuple[Cube, Key], int]
Chances = Mapping[tuple[Cube, Key], int]

tables = st.fixed_dictionaries({place: st.integers(0, 12) | st.integers(0, 3) for place in PLACES})
days_of_tables = st.lists(tables, min_size=1, max_size=3)
chances_of_cells = st.fixed_dictionaries({place: st.integers(0, BASE - 1) for place in PLACES})


def published(tables: list[Table], chances: Chances) -> list[bytes]:
    """Every report of every day, as JSON and as CSV."""
    return [sent for day, table in enumerate(tables) for sent in _day(table, chances, day)]


def _day(table: Table, chances: Chances, day: int) -> list[bytes]:
    cells: dict[Cube, list[Cell]] = {
        cube: publish(cube, {key: table[cube, key] for key in keys}, lambda c, k: chances[c, k])
        for cube, keys in KEYS.items()
    }
    on = TODAY + timedelta(days=day)
    views: list[tuple[str, list[Figure]]] = [
        ("coverage", reports.coverage(cells["people"])),
        ("completeness", reports.completeness(cells["people"])),
        *(("cases", reports.cases(cells["cases"], week, on)) for week in WEEKS),
        ("freshness", reports.freshness(cells["senders"], SENDERS, on)),
        ("intake", reports.intake(cells["senders"], SENDERS)),
        ("documents", reports.documents(cells["senders"], SENDERS)),
    ]
    made = [
        Report(report=name, day=on, week=None, notes_vi=[], figures=figures, more=False)  # type: ignore[arg-type]
        for name, figures in views
    ]
    return [sent for one in made for sent in (msgspec.json.encode(one), csv.write(table_of(one)))]


def another_world(
    tables: list[Table], chances: dict[tuple[Cube, Key], int], place: tuple[Cube, Key], day: int
) -> tuple[list[Table], dict[tuple[Cube, Key], int]]:
    """The same publication with another count in that cell on that day."""
    count, chance = tables[day][place], chances[place]
    for other in range(max(0, count - BASE), count + BASE + 1):
        if other != count and rounded(other, chance) == rounded(count, chance):
            changed = [dict(table) for table in tables]
            changed[day][place] = other
            return changed, chances
    # Only an empty cell with the highest chance is alone: one more on every day, and one less chance.
    changed = [{**table, place: table[place] + 1} for table in tables]
    return changed, {**chances, place: chance - 1}


@settings(max_examples=40, deadline=None)
@given(tables=days_of_tables, chances=chances_of_cells, data=st.data())
def test_s30_every_small_count_could_be_another_in_all_that_is_published(
    tables: list[Table], chances: dict[tuple[Cube, Key], int], data: st.DataObject
) -> None:
    truth = published(tables, chances)
    small = [(place, day) for day, table in enumerate(tables) for place in PLACES if table[place] < BASE]
    for place, day in data.draw(st.lists(st.sampled_from(small), max_size=6)) if small else []:
        others, other_chances = another_world(tables, chances, place, day)
        assert others[day][place] != tables[day][place]
        assert set(other_chances.values()) <= set(range(BASE))
        assert published(others, other_chances) == truth


@settings(max_examples=40, deadline=None)
@given(tables=days_of_tables, chances=chances_of_cells)
def test_s30_no_sum_or_difference_of_published_counts_is_between_one_and_four(
    tables: list[Table], chances: dict[tuple[Cube, Key], int]
) -> None:
    """Each count in each report is a multiple of 5, so every sum and difference of them is one."""
    for sent in published(tables, chances):
        if sent.startswith(b"{"):
            counts = [figure.count for figure in msgspec.json.decode(sent, type=Report).figures]
        else:
            lines = list(reader.DictReader(io.StringIO(sent.decode("utf-8-sig"))))
            counts = [int(line["count"]) for line in lines]
        assert all(count % BASE == 0 for count in counts)


@given(tables=tables, chances=chances_of_cells)
@settings(max_examples=30, deadline=None)
def test_s30_totals_are_made_of_the_rounded_cells(
    tables: Table, chances: dict[tuple[Cube, Key], int]
) -> None:
    cells = publish("people", {k: tables["people", k] for k in KEYS["people"]}, lambda c, k: chances[c, k])
    found = {tuple(figure.of.values()): figure.count for figure in reports.coverage(cells)}
    whole = sum(cell.count for cell in cells)
    assert found.get(("*", "*", "*"), 0) == whole
    for commune in ("00001", ""):
        parts = [n for key, n in found.items() if key[0] == commune and "*" not in key]
        assert found.get((commune, "*", "*"), 0) == sum(parts)


@given(count=st.integers(1, 4), chance=st.integers(0, 4))
def test_s30_whoever_knows_every_change_of_a_cell_still_does_not_know_its_count(
    count: int, chance: int
) -> None:
    """From a cell's daily numbers and all its steps follows count + chance and nothing more."""
    alike = [(n, c) for n in range(9) for c in range(BASE) if n + c == count + chance]
    steps = [0, 1, 2, 5, 6, 9]
    shown = {tuple(rounded(n + more, c) for more in steps) for n, c in alike}
    assert len({n for n, _ in alike}) > 1
    assert len(shown) == 1


def test_s30_the_chance_of_a_cell_is_the_same_every_day_and_even_over_cells() -> None:
    chance = chance_by(b"k" * 32)
    made = [chance("cases", ("2026-11-16", f"{n:05d}", "I10", "")) for n in range(2000)]
    assert made == [chance_by(b"k" * 32)("cases", ("2026-11-16", f"{n:05d}", "I10", "")) for n in range(2000)]
    assert all(300 < number < 500 for number in Counter(made).values())
    assert made != [chance_by(b"l" * 32)("cases", ("2026-11-16", f"{n:05d}", "I10", "")) for n in range(2000)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 10])
def test_rounding_loses_nothing_on_average(count: int) -> None:
    assert sum(rounded(count, chance) for chance in range(BASE)) == BASE * count


def test_a_report_that_is_exact_somewhere_is_caught() -> None:
    """The attack itself works: totals from exact numbers give the hidden cell away."""
    exact = {("00001", "under-6", FULL, ""): 3, ("00001", "from-60", FULL, ""): 20}
    hidden = [Cell("people", *key, count) for key, count in exact.items() if count >= BASE]
    told = sum(exact.values()) - sum(cell.count for cell in hidden)
    assert told == 3
    assert told % BASE != 0
