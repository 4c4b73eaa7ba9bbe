"""Clients generated from the document, compiled where there is a compiler and read by a grammar elsewhere.

Of Kotlin the classes that are run; all of it, which takes minutes, with HEALTHBOOK_COUNTS=full."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from api.citizen.requests import AccessApproval
from tests.support import npm, peers
from tests.support.shared import ROOT
from vitals.rules.models import RuleBody

PLACE = ROOT / "mobile-contract" / "clients"
VECTORS = ROOT / "mobile-contract" / "vectors" / "tolerance.json"
PUSHES = ROOT / "mobile-contract" / "vectors" / "push.json"
CASES = json.loads(VECTORS.read_text())["cases"]


def module(name: str) -> ModuleType:
    """One of the scripts of the folder: a name with a hyphen is no package."""
    if str(PLACE) not in sys.path:
        sys.path.insert(0, str(PLACE))
    spec = importlib.util.spec_from_file_location(f"clients_{name}", PLACE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    peers.installed(PLACE / "tools.lock")
    npm.installed(PLACE)


@pytest.fixture(scope="module")
def kotlin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = module("generate").generated("kotlin", tmp_path_factory.mktemp("clients") / "kotlin")
    jar: Path = module("compile").kotlin(sources, whole=os.environ.get("HEALTHBOOK_COUNTS") == "full")
    return jar


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = module("generate").generated("typescript", tmp_path_factory.mktemp("clients") / "typescript")
    built: Path = module("compile").typescript(sources)
    return built


def test_typescript_shows_a_push_that_it_knows_and_refuses_any_other(typescript: Path) -> None:
    cases = json.loads(PUSHES.read_text())["cases"]
    [payloads] = typescript.rglob("payloads.js")
    script = (
        f"import {{ Convert }} from {json.dumps(str(payloads))}; import {{ readFileSync }} from 'node:fs';"
        "const read = (input) => Convert.toPushData(JSON.stringify(input)).type;"
        "const knows = (input) => { try { return read(input) } catch { } };"
        "const { cases } = JSON.parse(readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(cases.map(({ input }) => knows(input) ?? null)));"
    )
    said = module("tools").run(
        ["node", "--input-type=module", "-e", script], text=PUSHES.read_text(), timeout=60
    )
    shown = {case["name"]: case["expect"]["ok"].get("type") for case in cases}
    shown["an id that is none"] = "check-in"  # quicktype knows no formats; the reference client refuses it
    assert dict(zip(shown, json.loads(said), strict=True)) == shown


def test_kotlin_reads_what_a_newer_service_says(kotlin: Path) -> None:
    done = json.loads(_kotlin(kotlin, "read", VECTORS.read_text()))
    for case in CASES:
        read, expected = done[case["name"]], case["expect"]["ok"]
        assert {where: _at(read, where) for where in expected["text"]} == expected["text"], case["name"]
        unknown = {where: _at(read, where) for where in expected["unknown"]}
        assert set(unknown.values()) <= {"unknown_default_open_api"}, case["name"]
        assert "since_next_year" not in json.dumps(read), case["name"]


def test_the_service_reads_what_kotlin_left_out(kotlin: Path) -> None:
    """Lists that an app does not fill in are not sent as null."""
    said = json.loads(_kotlin(kotlin, "write"))
    approval = msgspec.convert(said["AccessApproval"], AccessApproval)
    assert (approval.labels, approval.since) == ([], None)
    assert msgspec.convert(said["RuleBody"], RuleBody).machine is None


@pytest.mark.parametrize(("language", "folder"), [("swift", "Sources"), ("dart", "lib")])
def test_what_no_compiler_reads_parses_and_declares_its_types(
    language: str, folder: str, tmp_path: Path
) -> None:
    sources = module("generate").generated(language, tmp_path / language) / folder
    found = _read(language, sources)
    assert found["files"] > 800
    assert (found["faults"], found["unknown"]) == ([], {})


@pytest.mark.parametrize(
    ("language", "text", "fault", "unknown"),
    [
        ("swift", "struct A { var b: B }\n", False, ["B"]),
        ("swift", "struct A { var b: }\n", True, []),
        ("dart", "class A { B? b; }\n", False, ["B"]),
        ("dart", "class A { int b }}\n", True, []),
    ],
)
def test_the_reader_sees_a_fault_and_an_undeclared_type(
    language: str, text: str, fault: bool, unknown: list[str], tmp_path: Path
) -> None:
    (tmp_path / f"a.{language}").write_text(text)
    found = _read(language, tmp_path)
    assert (bool(found["faults"]), [name for name in found["unknown"] if name == "B"]) == (fault, unknown)


def _read(language: str, folder: Path) -> dict[str, Any]:
    tools = module("tools")
    found: dict[str, Any] = json.loads(tools.run([tools.python(), PLACE / "parse.py", language, folder]))
    return found


def _kotlin(jar: Path, verb: str, text: str = "") -> str:
    said: str = module("compile").run_kotlin(jar, verb, text=text)
    return said


def _at(node: Any, where: str) -> Any:
    for step in where.strip("/").split("/"):
        node = node[int(step)] if isinstance(node, list) else node[step]
    return node
