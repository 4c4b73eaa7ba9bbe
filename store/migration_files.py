"""What the migration files say: their statements, and how each table is spread over a cluster.

Every table is announced by a header, from which the Citus plan is made:
    -- table: <name> distribute: <column> [with <table>] | bucket | reference | local
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from msgspec import Struct

MIGRATIONS = Path(__file__).parent / "migrations"
QUEUE_ROOT = "due_queue"  # the first of the tables that lie by their bucket
_HEADER = re.compile(r"^-- table: (\w+) distribute: (\w+)(?: with (\w+))?\s*$", re.MULTILINE)
_DROPPED = re.compile(r"^DROP TABLE (\w+);", re.MULTILINE)
_NAME = re.compile(r"^(\d{4})_([a-z]+)_(\w+)\.sql$(?!\n)")


class MigrationError(Exception):
    """A migration file is malformed, an applied one was changed, or the database is not ready for it."""


class TableHeader(Struct, frozen=True):
    """How a table is spread: `distribute` is a column, 'bucket', 'reference' or 'local'."""

    table: str
    distribute: str
    colocate_with: str | None

    @property
    def group(self) -> str | None:
        """The table whose shards this one's lie beside, itself where it is the first; None: it has no shards
        by a column."""
        if self.distribute in {"reference", "local"}:
            return None
        if self.distribute == "bucket":
            return QUEUE_ROOT
        return self.colocate_with or self.table


class Migration(Struct, frozen=True):
    version: int
    package: str
    name: str
    sha256: bytes
    in_transaction: bool
    statements: list[str]
    tables: list[TableHeader]

    @property
    def adds_foreign_keys(self) -> bool:
        return self.name.endswith("_fk.sql")


def read_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """All migration files in order. Raises MigrationError on a bad name or a version used twice."""
    migrations = [_read(path) for path in sorted(directory.glob("*.sql"))]
    versions = [m.version for m in migrations]
    if len(set(versions)) != len(versions):
        raise MigrationError("two migrations share a number")
    return migrations


def split_statements(text: str) -> list[str]:
    """Statements end with a line that ends in `;`. Comment lines before one belong to it."""
    statements: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if line.rstrip().endswith(";") and not line.lstrip().startswith("--"):
            statements.append("\n".join(lines).strip())
            lines = []
    if any(line.strip() and not line.lstrip().startswith("--") for line in lines):
        raise MigrationError("the last statement does not end with a line ending in ';'")
    return statements


def standing_tables(migrations: Iterable[Migration]) -> list[TableHeader]:
    """The tables that are there after all of these files."""
    found: dict[str, TableHeader] = {}
    for migration in migrations:
        found |= {header.table: header for header in migration.tables}
        for statement in migration.statements:
            if dropped := _DROPPED.search(statement):
                del found[dropped[1]]
    return list(found.values())


@cache
def shard_columns() -> dict[str, str]:
    """Table → its distribution column, for tables that have one."""
    return {h.table: h.distribute for h in standing_tables(read_migrations()) if h.group is not None}


def _read(path: Path) -> Migration:
    named = _NAME.match(path.name)
    if named is None:
        raise MigrationError(f"{path.name} is not NNNN_<package>_<what>.sql")
    raw = path.read_bytes()
    text = raw.decode()
    return Migration(
        version=int(named[1]),
        package=named[2],
        name=path.name,
        sha256=hashlib.sha256(raw).digest(),
        in_transaction=not text.startswith("-- no-transaction"),
        statements=split_statements(text),
        tables=[TableHeader(m[1], m[2], m[3]) for m in _HEADER.finditer(text)],
    )
