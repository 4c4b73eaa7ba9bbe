"""The schedule's data: which version is in force on which day."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vaccination.schedule.models import Row, Version

_FILE: Final = Path(__file__).with_name("data") / "vn.json"


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    note: str
    versions: list[Version]


@cache
def table() -> Table:
    """The versions, oldest first. Raises ValueError for data that contradicts itself."""
    return read(_FILE.read_bytes())


def read(data: bytes) -> Table:
    """Decode and check a table: versions by day, rows that go on from another, rows in order by antigen."""
    raw = msgspec.json.decode(data, type=Table)
    by_name = {one.version: one for one in raw.versions}
    versions = []
    for one in sorted(raw.versions, key=lambda version: version.effective_from):
        rows = by_name[one.rows_from].rows if one.rows_from else one.rows
        _check(rows)
        versions.append(replace(one, rows=rows))
    return Table(note=raw.note, versions=versions)


def version_on(day: date, versions: list[Version] | None = None) -> Version:
    """The version in force on a day; before the first, the first."""
    known = table().versions if versions is None else versions
    in_force = [one for one in known if one.effective_from <= day]
    return in_force[-1] if in_force else known[0]


def by_antigen(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each antigen, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.antigen, []).append(row)
    return {antigen: sorted(those, key=lambda row: row.number) for antigen, those in found.items()}


def _check(rows: list[Row]) -> None:
    names = [row.row for row in rows]
    if len(set(names)) != len(names):
        raise ValueError("a row stands twice")
    for antigen, those in by_antigen(rows).items():
        if [row.number for row in those] != list(range(1, len(those) + 1)):
            raise ValueError(f"the doses of {antigen} are not numbered from 1")
