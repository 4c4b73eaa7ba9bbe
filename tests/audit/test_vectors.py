"""The published vectors are what the code makes, and the verifier agrees with each of them."""

from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import canonical
from audit.models import AdminEntry, Head
from audit.verify import ExportRow, verify_rows
from tests.audit import vectors
from tests.support.vectors import refused, taken

CASES: list[dict[str, Any]] = msgspec.json.decode(vectors.FILE.read_bytes())["cases"]


def test_the_published_file_is_the_generated_one() -> None:
    assert vectors.FILE.read_bytes() == vectors.document(), "run: python -m tests.audit.vectors"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_verifier_agrees_with_the_vector(case: dict[str, Any]) -> None:
    rows = msgspec.convert(case["input"]["rows"], list[ExportRow])
    pin = case["keys"].get("pin")
    broken = verify_rows(rows, pin=Head(seq=pin["seq"], h=bytes.fromhex(pin["h"])) if pin else None)
    found = taken({"rows": len(rows)}) if broken is None else refused(broken.reason, at=broken.at)
    assert found == case["expect"]


@given(st.text(), st.text(), st.integers(0, 2**53 - 1))
def test_our_canonical_text_is_rfc8785(what: str, reason: str, count: int) -> None:
    entry = AdminEntry(at="2026-11-21T02:00:00.000000Z", count=count, operator="op", reason=reason, what=what)
    assert canonical(entry) == rfc8785.dumps(msgspec.to_builtins(entry))


def test_a_row_of_the_log_is_rfc8785() -> None:
    entry = vectors.entry_of(1, "record:summary:read")
    assert canonical(entry) == rfc8785.dumps(msgspec.json.decode(msgspec.json.encode(entry)))
