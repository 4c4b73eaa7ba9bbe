"""A kept document as it leaves: what must not be in it, and what is nothing without what was cut out."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ehr.exports.queries import KeptRow
from ehr.exports.references import COMPANIONS, Leaving

AT = datetime(2026, 11, 22, tzinfo=UTC)


def left(body: dict[str, Any], holds: frozenset[str] | None = COMPANIONS, **more: bool) -> dict[str, Any]:
    row = KeptRow(body["resourceType"], "0" * 32, "a", None, AT, json.dumps(body, separators=(",", ":")))
    made = Leaving([row], "Patient/p", holds=holds).document(row, **more)
    return {name: value for name, value in made.items() if name not in ("id", "meta", "resourceType")}


def test_a_paper_of_which_only_the_year_is_known_has_no_made_up_hour() -> None:
    person = {"subject": {"reference": "Patient/p"}}
    paper = {"resourceType": "DocumentReference", "date": "2025"}
    assert left(paper) == person | {"context": {"period": {"start": "2025"}}}
    exact = {"resourceType": "DocumentReference", "date": "2025-01-01T10:00:00+07:00"}
    assert left(exact) == person | {"date": exact["date"]}


def test_a_part_whose_reference_was_cut_out_goes_with_it() -> None:
    """A rank that is left over would tell of a diagnosis that this reader may not know."""
    visit = {
        "resourceType": "Encounter",
        "diagnosis": [{"condition": {"reference": "Condition/hidden"}, "rank": 1}, {"rank": 2}],
        "location": [{"status": "active"}],
    }
    for holds in (COMPANIONS, None):
        assert left(visit, holds) == {"subject": {"reference": "Patient/p"}}


@pytest.mark.parametrize(
    "inside",
    [
        [{"resourceType": "Condition", "id": "x", "code": {"text": "SECRET"}}],
        {"resourceType": "Condition", "id": "x", "code": {"text": "SECRET"}},
        [{"id": "x", "code": {"text": "SECRET"}}],
        [[{"resourceType": "Observation", "id": "x", "note": [{"text": "SECRET"}]}]],
        [{"resourceType": ["Medication"], "id": "x", "text": "SECRET"}],
        [{"resourceType": "Condition", "id": "x", "reference": "#m", "note": "SECRET"}],
        [
            {
                "resourceType": "Medication",
                "id": "m",
                "contained": [{"resourceType": "Condition", "x": "SECRET"}],
            }
        ],
        [{"resourceType": "Medication", "id": "m", "e": {"resourceType": "Condition", "x": "SECRET"}}],
        ["SECRET"],
        "SECRET",
    ],
)
def test_s13_nothing_stands_inside_but_who_where_and_which_product(inside: Any) -> None:
    body = {
        "resourceType": "MedicationRequest",
        "contained": inside,
        "reasonReference": [{"reference": "#x", "display": "SECRET"}],
        "extension": [{"url": "u", "valueReference": {"reference": "#x", "display": "SECRET"}}],
    }
    assert "SECRET" not in json.dumps(left(body))


def test_a_medicine_inside_its_prescription_stays_there_and_is_found() -> None:
    body = {
        "resourceType": "MedicationRequest",
        "contained": [
            {"resourceType": "Medication", "id": "m", "code": {"text": "Metformin"}},
            {"resourceType": "Observation", "id": "o", "code": {"text": "HbA1c"}},
        ],
        "medicationReference": {"reference": "#m", "display": "Metformin", "type": "Medication"},
    }
    made = left(body)
    assert made["medicationReference"] == {"reference": "#m", "display": "Metformin"}
    assert [one["id"] for one in made["contained"]] == ["m"]
    assert len(left(body, None)["contained"]) == 2
    assert left(body, is_inside=True) == {"subject": {"reference": "Patient/p"}}
