"""docs/retention.md: every table stands there once, with the chore that empties it or a reason."""

import re
from pathlib import Path

import asyncpg

from healthbook.housekeeping import CHORES
from store.postgres import Server

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/retention.md").read_text()
PARTS = {title.strip(): body for title, _, body in (part.partition("\n") for part in TEXT.split("\n## ")[1:])}
REMOVED, LIFE = PARTS["Removed by a chore"], PARTS["The record and the account, for life"]
KEPT, NOBODY = PARTS["Kept after an erasure"], PARTS["Nobody's rows"]
ROWS = re.findall(r"^\| ((?:`\w+` ?)+)\| ([^|]+) \| `([\w-]+)` \| ([^|]+) \|$", REMOVED, re.M)
SOURCES = "\n".join(
    path.read_text()
    for path in ROOT.rglob("*.py")
    if path.relative_to(ROOT).parts[0] not in (".venv", "tests", "bench")
)


def names(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


def listed() -> list[str]:
    """The tables of each part, in order."""
    of_life = names(LIFE.strip().split("\n\n")[-1])
    first_cells = [
        cell for part in (KEPT, NOBODY) for cell in re.findall(r"^\| ((?:`\w+` ?)+)\|", part, re.M)
    ]
    return [*names(" ".join(row[0] for row in ROWS)), *of_life, *names(" ".join(first_cells))]


async def test_every_table_stands_there_once(server: Server, database: str) -> None:
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    try:
        found = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND relnamespace = 'public'::regnamespace"
        )
    finally:
        await connection.close()
    own = {"schema_migration"}
    assert sorted(listed()) == sorted({row["relname"] for row in found} - own)


def test_each_term_is_the_one_of_its_chore() -> None:
    chores = {chore.name: chore for chore in CHORES}
    for _, term, chore, why in ROWS:
        seconds = chores[chore].kept.total_seconds()
        unit, of = next(
            (unit, of)
            for unit, of, least in (("days", 86_400, 2), ("hours", 3_600, 1), ("minutes", 60, 0))
            if seconds >= of * least
        )
        assert term == (f"{int(seconds // of)} {unit}" if seconds else "at once")
        assert why == chores[chore].why


def test_each_chore_stands_there() -> None:
    assert {chore.name for chore in CHORES} <= set(re.findall(r"`([\w-]+)`", REMOVED))


def test_what_a_chore_empties_has_a_statement_that_deletes_it() -> None:
    deleted = set(re.findall(r"DELETE\s+FROM\s+(\w+)", SOURCES))
    assert set(names(" ".join(row[0] for row in ROWS))) - deleted == set()
