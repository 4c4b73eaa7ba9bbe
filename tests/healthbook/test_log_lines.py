"""Every line of every log, as the code writes it: a name of ours and fields that can hold nobody (S22, S34).

What really stands in the logs of a service at work: tests/journeys/test_secrets.py.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.log_fields import FIELDS

ROOT: Final = Path(__file__).resolve().parents[2]
LEVELS: Final = {"debug", "info", "warning", "error", "critical", "exception"}


def lines() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger, with the file it stands in."""
    for package in sorted(path.parent for path in ROOT.glob("*/__init__.py")):
        for path in sorted(package.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and is_log_call(node.func):
                    yield path.relative_to(ROOT).as_posix(), node


def is_log_call(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in ("log", "_log")
    )


LINES: Final = [one for one in lines() if not one[0].startswith("bench/")]
every_line = pytest.mark.parametrize(
    ("path", "call"), LINES, ids=[f"{path}:{call.lineno}" for path, call in LINES]
)


def test_lines_are_found() -> None:
    assert len(LINES) > 40
    assert {"request", "event_failed", "push_malformed"} <= {name_of(call) for _, call in LINES}


def name_of(call: ast.Call) -> str:
    (name,) = call.args
    assert isinstance(name, ast.Constant), ast.unparse(call)
    assert isinstance(name.value, str)
    return name.value


@every_line
def test_a_line_has_a_name_of_ours_and_known_fields(path: str, call: ast.Call) -> None:
    assert name_of(call), path
    for keyword in call.keywords:
        if keyword.arg is None:
            assert ast.unparse(keyword.value) == "class_of(error)", f"{path}: {ast.unparse(call)}"
        else:
            assert keyword.arg in FIELDS, f"{path}: {ast.unparse(call)}"


@every_line
def test_s22_no_line_holds_the_text_of_an_error(path: str, call: ast.Call) -> None:
    """A text can quote a row. What our own check of the backups' files says is made of their names alone."""
    if name_of(call) == "backup_gap":
        return
    for keyword in call.keywords:
        text = ast.unparse(keyword.value)
        assert not text.startswith(("str(error", "repr(", "f'{error")), f"{path}: {ast.unparse(call)}"
        assert "patient" not in text, f"{path}: {ast.unparse(call)}"


def test_every_field_is_still_written() -> None:
    written = {keyword.arg for _, call in LINES for keyword in call.keywords}
    spread = {"error", "sqlstate"}
    assert set(FIELDS) - written - spread == set()
