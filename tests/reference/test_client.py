"""What the reference client promises about repeats, sessions and signatures: its own tests, run by node."""

from pathlib import Path

import pytest

from tests.support import reference

FILES = [one for one in sorted(reference.PLACE.glob("*.test.ts")) if one.name != "vectors.test.ts"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_reference_client_holds_its_own_rules(file: Path) -> None:
    assert reference.tested(file.name) >= file.read_text().count("\ntest(") > 0
