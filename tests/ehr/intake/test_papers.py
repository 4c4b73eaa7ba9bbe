"""Papers of a package are read by people: their dates are written as people write them."""

import pytest

from ehr.intake.papers import _date_text


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("202611280800", "28/11/2026 08:00"),
        ("20261128", "28/11/2026"),
        ("202611280000", "28/11/2026"),
        ("5", "5"),
        ("không hẹn", "không hẹn"),
    ],
)
def test_a_date_in_a_paper_reads_as_people_write_it(sent: str, shown: str) -> None:
    assert _date_text(sent) == shown
