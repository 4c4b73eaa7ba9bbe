"""Ids are drawn or hashed: whatever their digits spell by chance, the gate reads no name in them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ehr.intake.gate import judge_plain
from ehr.intake.models import Item, PersonFacts, Unit
from ehr.intake.units import Prepared, prepare
from ehr.programmes.mapping import unit_of
from ehr.programmes.models import Author, Enrolment, EnrolmentBody
from kernel.access import Label

NOW = datetime(2026, 11, 21, tzinfo=UTC)
# What hexadecimal digits can spell of the names, labels and codes that are looked for.
TELLING = st.sampled_from(["cd4", "0cd4", "a1d5", "b20", "b201", "b24", "f11", "f115", "f19", "f024", "4d5"])
HEX = st.sampled_from("0123456789abcdef")
IDS = st.lists(TELLING | HEX, min_size=32, max_size=32).map(lambda parts: UUID("".join(parts)[:32]))
KINDS = ("AllergyIntolerance", "CarePlan", "Condition", "Encounter", "Immunization", "Medication", "Specimen")


def hypertension(enrolment_id: UUID) -> Prepared:
    told = {
        "person": {
            "numbers": [{"kind": "national-id", "value": "079118246001"}],
            "name": "Trần Thị Thử",
            "birth_date": "1985-03-12",
            "sex": "female",
        },
        "programme": "hypertension",
        "enrolled_on": "2026-10-01",
    }
    body = msgspec.convert(told, EnrolmentBody)
    doc = Enrolment(body=body, recorded_by=Author(name="Nguyễn Văn Thử", licence="000101/HCM-CCHN"))
    return prepare(
        unit_of(doc, [body], enrolment_id, "Bệnh viện Thử", NOW), None, str(enrolment_id), "Bệnh viện Thử"
    )


def plan(ident: UUID, **more: Any) -> Prepared:
    doc = {
        "resourceType": "CarePlan",
        "id": str(ident),
        "status": "active",
        "intent": "plan",
        "subject": {"reference": f"Patient/{ident}"},
        "identifier": [{"value": str(ident)}, {"value": f"urn:uuid:{ident}"}],
        "activity": [{"reference": {"reference": f"{kind}/{ident}"}} for kind in KINDS],
    } | more
    key = f"CarePlan/{ident}"
    item = Item(
        rtype="CarePlan", key=key, raw=msgspec.json.encode(doc).decode(), where="entry", aliases=(key,)
    )
    unit = Unit(name="unit", key="key", person=PersonFacts(), items=[item], snapshot=False)
    return prepare(unit, None, "source", None)


@given(IDS)
def test_no_programme_is_stopped_or_labelled_for_its_number(enrolment_id: UUID) -> None:
    made = hypertension(enrolment_id)
    assert (made.withheld, made.review) == (0, [])
    assert {Label(row.labels) for row in made.resources} == {Label.NONE}


@given(IDS)
def test_a_resource_has_the_labels_of_its_words_and_none_of_its_ids(ident: UUID) -> None:
    (bare,) = plan(ident).resources
    (labelled,) = plan(ident, description="Theo dõi tại khoa Tâm thần").resources
    assert (Label(bare.labels), Label(labelled.labels)) == (Label.NONE, Label.PSY)


@given(IDS)
def test_an_id_alone_is_a_harmless_text(ident: UUID) -> None:
    assert judge_plain(str(ident)) == "keep"
