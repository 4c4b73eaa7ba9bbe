"""No file of journeys meets the people of another: whom one used up would be missing in the next."""

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SHARED = {"untouched"}


def kept_for_the_run(source: str) -> set[str]:
    """The fixtures of a file that outlive it."""
    found = set()
    for made in ast.walk(ast.parse(source)):
        if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef):
            words = [ast.unparse(one) for one in made.decorator_list]
            if any("fixture(" in one and ("'session'" in one or "'package'" in one) for one in words):
                found.add(made.name)
    return found


def test_nothing_outlives_a_file_of_journeys() -> None:
    kept = {
        name for file in Path(__file__).parent.glob("*.py") for name in kept_for_the_run(file.read_text())
    }
    assert kept == set()
    assert kept_for_the_run((TESTS / "conftest.py").read_text()) >= SHARED


def test_the_demo_that_nobody_serves_is_asked_for_by_its_copy_alone() -> None:
    asking = {
        (file.name, made.name)
        for file in TESTS.rglob("*.py")
        for made in ast.walk(ast.parse(file.read_text()))
        if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef)
        if SHARED & {one.arg for one in made.args.args}
    }
    assert asking == {("conftest.py", "place")}
