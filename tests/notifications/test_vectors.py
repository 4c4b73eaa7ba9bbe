"""The published schema and vectors of pushes are those of the code."""

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.notifications import vectors

SCHEMA: dict[str, Any] = msgspec.json.decode((vectors.FILE.parents[1] / "push.schema.json").read_bytes())


def test_the_published_file_is_the_generated_one() -> None:
    assert vectors.FILE.read_bytes() == vectors.document(), "run: python -m tests.notifications.vectors"


def test_the_schema_lists_every_type_that_is_pushed() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["type"]["enum"] == vectors.PUSHED


@pytest.mark.parametrize("case", vectors.cases(), ids=lambda case: case["name"])
def test_the_schema_accepts_what_is_shown_and_nothing_else(case: dict[str, Any]) -> None:
    validator = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    assert validator.is_valid(case["input"]) == (case["expect"]["ok"]["action"] == "show")
