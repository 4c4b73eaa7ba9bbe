"""docs/ is enough to write a dose file: every column and reason is named, and the sample is taken in."""

import re
from pathlib import Path

from store.database import Store
from tests.support.clock import FrozenClock
from tests.vaccination.first_fill.doses import COVID, FIELDS, file_of, said, take
from vaccination.first_fill.cleaning import TEXTS

DOCS = Path(__file__).parents[3] / "docs"
MAPPING = (
    (DOCS / "mapping.md").read_text().partition("\n# Doses of the national systems\n")[2].partition("\n# ")[0]
)
SECTION = (
    (DOCS / "vaccination.md")
    .read_text()
    .partition("\n## First fill from the national systems\n")[2]
    .partition("\n## ")[0]
)


def test_every_column_is_named_with_its_headings() -> None:
    rows = [line.strip("| ").split(" | ") for line in MAPPING.splitlines() if line.startswith("| `")]
    told = {name: row for row in rows for name in re.findall(r"`([a-z0-9_]+)`", row[0])}
    assert list(told) == [one.name for one in FIELDS.fields]
    for one in FIELDS.fields:
        row = told[one.name]
        assert ("required" in row[2]) == one.official, one.name
        assert ("no row without it" in row[2]) == (one.need == "row"), one.name
        assert ("one of the two numbers" in row[2]) == (one.need == "person"), one.name
        if not one.name.startswith("address_"):
            assert [part.strip("` ") for part in row[1].split(", ")] == [one.title, *one.spellings], one.name


def test_every_reason_is_named() -> None:
    named = set(re.findall(r"`([a-z-]+)`", SECTION))
    # What the intake says of a resource that it cannot keep; no row of a table leads to it.
    assert TEXTS.keys() - named == {"bad-resource"}


async def test_the_sample_is_taken_in_as_it_stands(store: Store, clock: FrozenClock, tmp_path: Path) -> None:
    (sample,) = re.findall(r"```csv\n(.*?)```", SECTION, re.DOTALL)
    fill, summary = await take(store, clock, file_of(tmp_path, sample.encode()), COVID)
    assert (summary.imported, summary.columns_not_kept) == (1, [])
    assert await said(fill) == {}
