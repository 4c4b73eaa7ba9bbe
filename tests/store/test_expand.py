"""A release migrates while the one before it still serves: it only adds (docs/runbook.md, Updating without a
pause).

What an older release still uses is dropped, renamed or made obligatory one release after the one that
stopped using it, and the file says so above the statement: `-- unused since: 0.2.0`. A check that only grows
wider is taken off and put on again under the same name, with `-- wider: why` above it.
tests/anomaly/test_two_releases.py runs the older release itself.
"""

import re
from collections.abc import Iterable

import pytest

from store.migration_files import Migration, read_migrations

# Nothing served beside a newer release before this file, so it and all before it did as they liked.
BASELINE = 570
FILES_OF_BASELINE = 226
# Releases, and the last migration of each.
RELEASES: dict[str, int] = {}

_NEW_TABLE = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.M | re.I)
_ON = re.compile(r"^(?:ALTER TABLE(?: IF EXISTS)?(?: ONLY)?|DROP TABLE(?: IF EXISTS)?) (\w+)", re.M | re.I)
_UNIQUE_ON = re.compile(r"^CREATE UNIQUE INDEX (?:CONCURRENTLY )?\w+\s+ON (\w+)", re.M | re.I)
_FAULTS = {
    r"\bDROP TABLE\b": "drops a table",
    r"\bDROP COLUMN\b": "drops a column",
    r"\bDROP VIEW\b": "drops a view",
    r"\bRENAME\b": "renames",
    r"\bSET NOT NULL\b": "makes a column obligatory",
    r"\bDROP DEFAULT\b": "makes a column obligatory for whoever does not name it",
    r"\b(?:SET DATA )?TYPE\b": "changes a type",
    r"\bDROP CONSTRAINT\b": "takes away what ON CONFLICT may name, or narrows",
    r"\bADD CONSTRAINT\b": "forbids what was allowed",
    r"^CREATE UNIQUE INDEX\b": "forbids what was allowed",
}


def code_of(statement: str) -> str:
    return "\n".join(line for line in statement.splitlines() if not line.lstrip().startswith("--")).strip()


def fault_of(statement: str, new_tables: Iterable[str]) -> str | None:
    """What an older release would stumble over; None where nothing, or where the statement says why not."""
    code = code_of(statement)
    table = _ON.search(code) or _UNIQUE_ON.search(code)
    if table is not None and table[1] in new_tables:
        return None
    if is_excused(statement, code):
        return None
    if any("NOT NULL" in added and "DEFAULT" not in added for added in code.upper().split("ADD COLUMN")[1:]):
        return "adds an obligatory column"
    return next((fault for form, fault in _FAULTS.items() if re.search(form, code, re.I | re.M)), None)


def is_excused(statement: str, code: str) -> bool:
    since = re.search(r"^-- unused since: (\S+)$", statement, re.M)
    wider = re.search(r"^-- wider: \S+", statement, re.M) and re.search(
        r"\b(ADD|DROP) CONSTRAINT\b", code, re.I
    )
    return (since is not None and since[1] in RELEASES) or wider is not None


def since_baseline() -> list[Migration]:
    return [migration for migration in read_migrations() if migration.version > BASELINE]


def test_no_file_slips_in_before_the_baseline() -> None:
    assert len([one for one in read_migrations() if one.version <= BASELINE]) == FILES_OF_BASELINE


def test_what_the_release_before_uses_is_neither_dropped_nor_renamed_nor_made_obligatory() -> None:
    migrations = since_baseline()
    new = {
        name for one in migrations for text in one.statements for name in _NEW_TABLE.findall(code_of(text))
    }
    faults = {
        f"{one.name}: {fault}"
        for one in migrations
        for text in one.statements
        if (fault := fault_of(text, new))
    }
    assert faults == set()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE visit;",
        "ALTER TABLE visit DROP COLUMN room;",
        "ALTER TABLE visit RENAME COLUMN room TO place;",
        "ALTER TABLE visit RENAME TO stay;",
        "ALTER TABLE visit ALTER COLUMN room SET NOT NULL;",
        "ALTER TABLE visit ALTER COLUMN room DROP DEFAULT;",
        "ALTER TABLE visit ALTER COLUMN room TYPE bigint;",
        "ALTER TABLE visit ADD COLUMN bed text NOT NULL;",
        "ALTER TABLE visit ADD COLUMN bed text\n    NOT NULL;",
        "ALTER TABLE visit ADD CONSTRAINT visit_room CHECK (room > 0) NOT VALID;",
        "ALTER TABLE visit DROP CONSTRAINT visit_pkey;",
        "CREATE UNIQUE INDEX visit_bed ON visit (patient_id, bed);",
        "-- unused since: 0.0.1\nALTER TABLE visit DROP COLUMN room;",
        "-- wider: nobody minds\nALTER TABLE visit DROP COLUMN room;",
    ],
)
def test_what_an_older_release_stumbles_over_is_found(statement: str) -> None:
    assert fault_of(statement, set())


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE visit ADD COLUMN bed text;",
        "ALTER TABLE visit ADD COLUMN bed text NOT NULL DEFAULT '';",
        "ALTER TABLE visit ADD COLUMN bed text DEFAULT '' NOT NULL;",
        "CREATE TABLE bed (patient_id uuid NOT NULL, PRIMARY KEY (patient_id));",
        "ALTER TABLE bed ADD CONSTRAINT bed_fk FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);",
        "CREATE UNIQUE INDEX bed_once ON bed (patient_id, place);",
        "CREATE INDEX visit_bed ON visit (patient_id, bed);",
        "ALTER TABLE visit ALTER COLUMN room DROP NOT NULL;",
        "ALTER TABLE visit VALIDATE CONSTRAINT visit_room;",
        "-- wider: a further way to end\nALTER TABLE visit DROP CONSTRAINT visit_end;",
        "-- wider: a further way to end\nALTER TABLE visit ADD CONSTRAINT visit_end CHECK (true) NOT VALID;",
    ],
)
def test_what_only_adds_is_let_through(statement: str) -> None:
    assert fault_of(statement, {"bed"}) is None


def test_what_a_release_stopped_using_goes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    statement = "-- unused since: 0.2.0\nALTER TABLE visit DROP COLUMN room;"
    assert fault_of(statement, set())
    monkeypatch.setitem(RELEASES, "0.2.0", 600)
    assert fault_of(statement, set()) is None
