"""A card names a vaccine by a code that others read, and never by one that says something else."""

import pytest

from tests.support.clock import START
from vaccination.book.antigens import ATC, CVX, of_code
from vaccination.book.models import Dose
from vaccination.shc.codes import CODES, code_of


def dose(system: str | None, code: str | None, *antigens: str) -> Dose:
    return Dose(
        immunization_id="1",
        version=1,
        given="2026-01-02",
        given_precision="day",
        antigens=antigens,
        code_system=system,
        code=code,
        title="Vắc xin",
        product=None,
        manufacturer=None,
        lot=None,
        dose_number=None,
        series_doses=None,
        facility_id=None,
        facility_name=None,
        source="facility",
        received_at=START,
        state="verified",
        identifier=None,
    )


def test_every_code_protects_against_what_the_catalogue_of_the_book_says() -> None:
    assert not CODES.confirmed
    for one in CODES.vaccines:
        assert set(of_code(CVX, one.cvx)) == set(one.antigens), one.cvx


@pytest.mark.parametrize(
    ("system", "code", "antigens", "expected"),
    [
        (CVX, "20", ("diphtheria", "tetanus", "pertussis"), (CVX, "20")),
        (ATC, "J07BC01", ("hepb",), (CVX, "45")),
        ("urn:vn:code", "VX01", ("rubella", "measles"), (CVX, "04")),
        (ATC, "J07BB99", (), (ATC, "J07BB99")),
        # Whole-cell or acellular, a child's or an adult's: each has a code of its own.
        (ATC, "J07AJ51", ("diphtheria", "tetanus", "pertussis"), (ATC, "J07AJ51")),
        (ATC, "J07AM51", ("diphtheria", "tetanus"), (ATC, "J07AM51")),
        ("urn:vn:code", "DPT", ("diphtheria", "tetanus", "pertussis"), None),
        ("urn:vn:code", "DT", ("diphtheria", "tetanus"), None),
        (ATC, "paracetamol", (), None),
        (CVX, "2 OR 1=1", (), None),
        ("urn:vn:code", "VX01", (), None),
        (None, None, ("hepb", "zoster"), None),
    ],
)
def test_the_code_of_a_dose(
    system: str | None, code: str | None, antigens: tuple[str, ...], expected: tuple[str, str] | None
) -> None:
    assert code_of(dose(system, code, *antigens)) == expected
