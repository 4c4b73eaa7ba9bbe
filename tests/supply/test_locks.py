"""What is shipped is locked, listed and free: the bill of materials, the licences, the audit's verdict."""

import json
import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from tests.supply.audit import findings, not_looked_at
from tests.supply.locked import DEVELOPMENT_LOCK, ROOT, RUN_LOCK, locked, make_sbom

# Words that stand for licences under which what we ship may be used, changed and handed on.
FREE = re.compile(
    r"\b(MIT(-0|-CMU)?|Apache|BSD|0BSD|ISC|PSF-2\.0|Python Software Foundation|MPL|Mozilla Public License)\b"
)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|SSPL|BUSL|GNU|Affero|Elastic|Commons Clause)\b")
# What its metadata does not say or says twice; looked up by hand.
BY_HAND = {"pyrage": "MIT"}
TABLE = (ROOT / "docs/dependencies.md").read_text()


def licence_of(name: str) -> str:
    """Every word of its metadata about its licence; the text itself is left out."""
    if name in BY_HAND:
        return BY_HAND[name]
    said = metadata(name)
    classifiers = [one for one in said.get_all("Classifier") or [] if one.startswith("License")]
    first_line = (said.get("License") or "").partition("\n")[0][:80]
    return " | ".join([said.get("License-Expression") or "", first_line, *classifiers])


def test_every_locked_file_has_a_hash() -> None:
    for lock in (RUN_LOCK, DEVELOPMENT_LOCK):
        packages = locked(lock)
        assert len(packages) > 50
        assert [name for name, (_, hashes) in packages.items() if not hashes] == []
        assert "https://" not in lock.read_text(), "a lock holds no address"


def test_what_runs_is_a_part_of_what_is_tested_with() -> None:
    tested = locked(DEVELOPMENT_LOCK)
    apart = {name for name, (version, _) in locked(RUN_LOCK).items() if tested[name][0] != version}
    assert apart == set()


def test_the_bill_of_materials_names_exactly_what_is_locked(tmp_path: Path) -> None:
    made = json.loads(make_sbom(tmp_path / "sbom.json").read_text())
    listed = {
        one["name"].lower(): (
            one["version"],
            frozenset(
                value["content"] for place in one["externalReferences"] for value in place.get("hashes", ())
            ),
        )
        for one in made["components"]
    }
    assert listed == locked(RUN_LOCK)
    assert {one["purl"] for one in made["components"]} == {
        f"pkg:pypi/{name}@{version}" for name, (version, _) in listed.items()
    }
    assert made["bomFormat"] == "CycloneDX"


@pytest.mark.parametrize("name", sorted(locked(RUN_LOCK)))
def test_what_is_shipped_may_be_handed_on(name: str) -> None:
    try:
        said = licence_of(name)
    except PackageNotFoundError:
        pytest.fail(f"{name} is locked and not installed: make lock, make check")
    assert FREE.search(said), (name, said)
    assert not COPYLEFT.search(said), (name, said)


def test_the_table_names_every_package_that_we_chose() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chosen = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    names = {re.split(r"[\[<>=~! ]", one)[0] for one in chosen} - {project["name"]}
    first_cells = " ".join(re.findall(r"^\| ([^|]+) \|", TABLE, re.M))
    assert {name for name in names if not named(name, first_cells)} == set()


def named(name: str, cells: str) -> bool:
    """Whether a first cell names it; of a family the later ones stand as `-rest`."""
    family, _, rest = name.partition("-")
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", cells)) or (
        family in cells and f"-{rest}" in cells
    )


@pytest.mark.parametrize("name", sorted(locked(RUN_LOCK)))
def test_the_table_says_the_version_that_is_locked(name: str) -> None:
    row = next((row for row in re.findall(r"^\| ([^|]+) \| ([^|]+) \|", TABLE, re.M) if row[0] == name), None)
    if row is not None and re.match(r"[0-9]", row[1]):
        assert row[1] == locked(RUN_LOCK)[name][0]


def test_a_vulnerability_fails_and_missing_data_is_said() -> None:
    report = {
        "dependencies": [
            {"name": "good", "version": "1", "vulns": []},
            {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-0000-1"}, {"id": "GHSA-x"}]},
            {"name": "unknown", "skip_reason": "not found"},
        ]
    }
    assert findings(report) == ["bad 2: GHSA-x, PYSEC-0000-1"]
    assert not_looked_at(report) == ["unknown"]
