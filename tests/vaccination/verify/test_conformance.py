"""The official vectors: every expectation holds but those whose own issue says that they are wrong."""

from collections import Counter

from tests.support.shared import shared
from vaccination.verify.conformance import CHECKS, conformance

# What the data's README counts by check; the schema is also asked of the vectors that carry JSON alone.
EXPECTED = {
    "EXPECTEDPICTUREDECODE": 253,
    "EXPECTEDUNPREFIX": 286,
    "EXPECTEDB45DECODE": 284,
    "EXPECTEDCOMPRESSION": 280,
    "EXPECTEDVERIFY": 283,
    "EXPECTEDEXPIRATIONCHECK": 263,
    "EXPECTEDKEYUSAGE": 204,
    "EXPECTEDDECODE": 279,
    "EXPECTEDVALIDJSON": 276,
    "EXPECTEDSCHEMAVALIDATION": 283,
}
# The README's table of exempt rows, by how many of them differ.
EXEMPT = {"EXPECTEDSCHEMAVALIDATION": 59, "EXPECTEDDECODE": 3, "EXPECTEDVALIDJSON": 3}


def test_the_official_vectors_match_outside_the_exempt_rows() -> None:
    told: list[None] = []
    report = conformance(shared("data/dgc"), lambda: told.append(None))
    assert [row for row in report.differences if row.why is None] == []
    assert report.is_conformant
    assert (report.files, report.unreadable) == (300, ())
    assert len(told) >= report.files
    assert {check: count.expected for check, count in report.checks.items()} == EXPECTED
    assert list(report.checks) == list(CHECKS)


def test_what_is_exempt_is_what_the_readme_lists_and_no_more() -> None:
    report = conformance(shared("data/dgc"))
    assert Counter(row.check for row in report.differences) == EXEMPT
    countries = Counter(row.path.split("/")[0] for row in report.differences)
    assert countries == {"NL": 48, "PL": 13, "FR": 2, "HU": 1, "RO": 1}
