"""What is signed fits the framework's own schemas: credential, FHIR resources, and the profile that says what
a card leaves out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from tests.support.shared import shared
from tests.vaccination.shc.books import FRAME, doses, payload_of
from vaccination.shc.packing import finish, pack

CARDS = [
    payload_of(finish(card.to_sign, bytes(64)))
    for count in (1, 5, 20, 30)
    for card in pack(FRAME, doses(count))
]


def schema(name: str) -> Any:
    return json.loads(shared(f"data/shc/schema/{name}.json").read_text())


def validator(name: str) -> Draft7Validator:
    return Draft7Validator(schema(name))


def definition(resource_type: str) -> Draft7Validator:
    """The FHIR schema's own definition of one type of resource."""
    whole = schema("fhir-schema")
    registry: Registry[Any] = Registry().with_resource("urn:fhir", DRAFT7.create_resource(whole))
    return Draft7Validator({"$ref": f"urn:fhir#/definitions/{resource_type}"}, registry=registry)


@pytest.mark.parametrize("card", CARDS)
def test_the_credential_fits_its_schema(card: dict[str, Any]) -> None:
    assert list(validator("smart-health-card-vc-schema").iter_errors(card)) == []


@pytest.mark.parametrize("card", CARDS)
def test_every_resource_fits_the_fhir_schema(card: dict[str, Any]) -> None:
    bundle = card["vc"]["credentialSubject"]["fhirBundle"]
    assert list(definition("Bundle").iter_errors(bundle)) == []
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert list(definition(resource["resourceType"]).iter_errors(resource)) == []


@pytest.mark.parametrize(
    ("resource_type", "profile"), [("Patient", "patient-dm"), ("Immunization", "immunization-dm")]
)
@pytest.mark.parametrize("card", CARDS)
def test_nothing_stands_on_a_card_that_the_profile_leaves_out(
    card: dict[str, Any], resource_type: str, profile: str
) -> None:
    left_out = {rule["path"] for rule in schema(profile)["mustNotContain"]}
    entries = card["vc"]["credentialSubject"]["fhirBundle"]["entry"]
    of_type = [one["resource"] for one in entries if one["resource"]["resourceType"] == resource_type]
    assert of_type
    assert {path for one in of_type for path in paths(one, resource_type)} & left_out == set()


def test_the_profile_finds_what_must_not_stand_there() -> None:
    assert "Immunization.patient.display" in set(paths({"patient": {"display": "A"}}, "Immunization"))
    assert list(definition("Immunization").iter_errors({"resourceType": "Immunization", "lotNumber": 7}))


def paths(node: Any, here: str) -> Iterator[str]:
    """Every path below a resource, without the places in lists."""
    for one in node if isinstance(node, list) else [node]:
        if isinstance(one, dict):
            for key, value in one.items():
                yield f"{here}.{key}"
                yield from paths(value, f"{here}.{key}")
