"""Scopes of SMART App Launch 2.2 (clinical scopes, and the grammar of version 1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.smart.scopes import (
    COMPANIONS,
    ITEMS,
    LAUNCH,
    OFFLINE,
    WHO,
    granted_scopes,
    read_scopes,
    record_types,
)

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
OBSERVATIONS = {one for one in ITEMS if one.startswith("Observation.")}


def items_of(text: str) -> frozenset[str]:
    wanted = read_scopes(text)
    return frozenset() if wanted is None else frozenset(wanted.items)


@pytest.mark.parametrize(
    ("scope", "items"),
    [
        ("patient/Condition.rs", {"Condition"}),
        ("patient/Condition.r", {"Condition"}),
        ("patient/Condition.read", {"Condition"}),
        ("patient/Condition.*", {"Condition"}),
        ("patient/Condition.cruds", {"Condition"}),
        ("patient/Patient.rs", {WHO}),
        ("patient/Observation.rs", OBSERVATIONS),
        ("patient/Observation.rs?category=laboratory", {"Observation.laboratory"}),
        (f"patient/Observation.rs?category={CATEGORY}|vital-signs", {"Observation.vital-signs"}),
        (
            "patient/Observation.rs?category=laboratory,vital-signs",
            {"Observation.laboratory", "Observation.vital-signs"},
        ),
        (
            "patient/Observation.rs?category=urn:vn:so-suc-khoe:record-type|wearable",
            {"Observation.wearable"},
        ),
        ("patient/*.rs", set(ITEMS)),
        ("patient/*.read", set(ITEMS)),
        ("patient/Condition.rs patient/Procedure.read", {"Condition", "Procedure"}),
    ],
)
def test_a_scope_names_kinds_of_entries(scope: str, items: set[str]) -> None:
    assert items_of(scope) == items


@pytest.mark.parametrize(
    "scope",
    [
        "",
        " ",
        "openid fhirUser",
        "launch/patient",
        "offline_access",
        "patient/Condition.write",
        "patient/Condition.cud",
        "patient/Condition.",
        "patient/Condition.sr",
        "patient/Condition.rss",
        "patient/condition.rs",
        "patient/AuditEvent.rs",
        "patient/RelatedPerson.rs",
        "patient/Coverage.rs",
        "patient/Other.rs",
        "user/Condition.rs",
        "system/*.rs",
        "patient/Condition.rs ",
        "patient/Condition.rs\n",
        "patient/Condition.rs  patient/Procedure.rs",
        'patient/Condition.rs "',
        "patient/Condition.rs?category=laboratory",
        "patient/Observation.rs?category=social-history",
        "patient/Observation.rs?category=laboratory,social-history",
        "patient/Observation.rs?category=laboratory&code=x",
        "patient/Observation.rs?code=http://loinc.org|4548-4",
        "patient/Observation.rs?category=http://elsewhere|laboratory",
        "patient/Observation.rs?category=",
        "patient/*.rs?category=laboratory",
        "patient/Practitioner.rs",
        "a" * 4001,
        " ".join(f"patient/Condition.rs?_id={n}" for n in range(101)),
    ],
)
def test_a_scope_that_names_nothing_we_offer_names_nothing(scope: str) -> None:
    assert items_of(scope) == frozenset()


def test_what_was_ticked_is_what_is_granted() -> None:
    wanted = read_scopes("launch/patient openid patient/*.read offline_access")
    assert wanted is not None
    assert wanted.launch
    assert wanted.offline
    assert granted_scopes(wanted, ITEMS) == [LAUNCH, "patient/*.read", OFFLINE]
    some = granted_scopes(wanted, {"Condition", "Observation.laboratory", WHO})
    assert some == [
        LAUNCH,
        *sorted(
            [
                *(f"patient/{name}.rs" for name in COMPANIONS),
                "patient/Condition.rs",
                f"patient/Observation.rs?category={CATEGORY}|laboratory",
                "patient/Patient.rs",
            ]
        ),
        OFFLINE,
    ]
    assert granted_scopes(wanted, set()) == []


def test_a_scope_keeps_its_own_words_where_all_of_it_was_granted() -> None:
    wanted = read_scopes("patient/Observation.read patient/Condition.cruds patient/Practitioner.read")
    assert wanted is not None
    assert granted_scopes(wanted, {*OBSERVATIONS, "Condition"}) == [
        "patient/Observation.read",
        "patient/Condition.rs",
        "patient/Practitioner.read",
    ]
    assert granted_scopes(wanted, {"Condition", "Procedure"}) == [
        "patient/Condition.rs",
        "patient/Practitioner.read",
    ]


PARTS = st.sampled_from(
    [
        "patient/*.rs",
        "patient/*.read",
        "patient/Observation.rs",
        "patient/Observation.r?category=laboratory",
        "patient/Condition.cruds",
        "patient/Patient.read",
        "patient/Immunization.s",
        "patient/Medication.rs",
        "offline_access",
        "launch/patient",
        "openid",
        "patient/Coverage.rs",
    ]
)


@given(st.lists(PARTS, max_size=8), st.sets(st.sampled_from(sorted(ITEMS))))
def test_what_is_granted_reads_back_as_what_was_asked_and_ticked(asked: list[str], ticked: set[str]) -> None:
    wanted = read_scopes(" ".join(asked))
    if wanted is None:
        return
    granted = granted_scopes(wanted, ticked)  # type: ignore[arg-type]
    again = read_scopes(" ".join(granted))
    assert (frozenset() if again is None else again.items) == wanted.items & ticked
    assert WHO not in record_types(wanted.items)
