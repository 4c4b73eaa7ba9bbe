"""What IPA 1.1 asks of each profile: mandatory elements of what is served, and parameters."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.problems import ProblemError
from partners.fhir.capability import capability_statement
from partners.fhir.kinds import KINDS
from partners.fhir.searching import matches, read_search
from store.database import Store
from tests.partners.fhir.test_endpoint import connected, facility  # noqa: F401 - a fixture
from tests.partners.records.test_disclosures import treated
from tests.support.clock import FrozenClock
from tests.support.http import client_of

# Cardinality from 1 in the profiles of hl7.fhir.uv.ipa 1.1.0; of a choice any one.
MANDATORY: dict[str, list[set[str]]] = {
    "AllergyIntolerance": [{"code"}, {"patient"}],
    "Condition": [{"code"}, {"subject"}],
    "MedicationRequest": [
        {"status"},
        {"intent"},
        {"medicationCodeableConcept", "medicationReference"},
        {"subject"},
    ],
    "Immunization": [{"status"}, {"vaccineCode"}, {"patient"}, {"occurrenceDateTime", "occurrenceString"}],
    "Observation": [{"status"}, {"code"}, {"subject"}],
    "DocumentReference": [{"status"}, {"subject"}, {"content"}],
}
PARAMETERS = {
    "Patient": {"_id"},
    "AllergyIntolerance": {"patient", "clinical-status"},
    "Condition": {"patient", "clinical-status", "category", "code", "onset-date"},
    "DocumentReference": {"_id", "patient", "category", "type", "date", "contenttype", "status"},
    "Immunization": {"patient", "date", "status"},
    "MedicationRequest": {"patient", "intent", "authoredon", "status"},
    "MedicationStatement": {"patient", "status"},
    "Observation": {"patient", "category", "code", "date", "status"},
}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


def test_the_statement_names_every_parameter_that_ipa_asks_for() -> None:
    stated = capability_statement("http://localhost", "http://localhost/fhir")
    get_fhir_model_class("CapabilityStatement").model_validate(stated)
    offered = {
        one["type"]: {parameter["name"] for parameter in one["searchParam"]}
        for one in stated["rest"][0]["resource"]
    }
    for name, asked in PARAMETERS.items():
        assert asked <= offered[name], name


async def test_what_is_served_has_the_mandatory_elements_and_is_valid(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    facility: Any,  # noqa: F811
) -> None:
    app = await connected(client, store, clock, await treated(store, clock, facility))
    seen = set()
    for name in KINDS:
        answer = await app.get(name)
        if answer.status_code == 403:
            continue
        for entry in answer.json().get("entry", []):
            get_fhir_model_class(name).model_validate(entry["resource"])
            for any_of in MANDATORY.get(name, []):
                assert any_of & entry["resource"].keys(), (name, any_of)
            seen.add(name)
    assert len(seen) >= 4, seen


NAMES = sorted(
    {"_id", "_count", "_cursor", "patient", *(p for kind in KINDS.values() for p in kind.parameters)}
)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=12), st.text(max_size=40)), max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["code", "coding", "system", "status", "category"]), inner)
        ),
        max_leaves=8,
    ),
)
def test_no_parameter_breaks_the_search(name: str, pairs: list[tuple[str, str]], doc: Any) -> None:
    problem = 400
    try:
        asked = read_search(name, pairs)
    except ProblemError as error:
        problem = error.refused.problem.status
        asked = None
    assert problem == 400
    if asked is None:
        return
    assert matches(asked, msgspec.json.encode(doc).decode(), "Other") in (True, False)
