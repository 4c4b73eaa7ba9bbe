"""The sieve may pass over a resource only where the walk would find nothing."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.intake.gate import Finding, Gate
from ehr.intake.sieve import PAIR, pairs_of, sift
from ehr.intake.survey import survey
from tests.support.shared import shared

PLAIN: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2026-01-02",
    "code": {
        "coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}],
        "text": "Hb",
    },
    "valueQuantity": {"value": 13.5, "unit": "g/dL", "code": "g/dL"},
}
TEXTS = st.text(alphabet=',":{}[]\\\n a1', max_size=6) | st.sampled_from(
    ["valueQuantity", "value", "a,", ',"']
)
VALUES = TEXTS | st.none() | st.booleans() | st.integers(-99, 99)
QUANTITIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"value": VALUES}, optional={"unit": VALUES, "extension": st.just([])}
)
PARTS = st.recursive(
    VALUES | st.fixed_dictionaries({"valueQuantity": QUANTITIES | VALUES}, optional={"code": VALUES}),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=12,
)
DOCS = st.dictionaries(TEXTS, PARTS, max_size=4)


def compact(doc: Any) -> str:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"))


def deep(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {}
    for _ in range(levels):
        node = {"extension": [node]}
    return node


def test_a_plain_resource_is_passed_over_and_its_references_are_told() -> None:
    found = sift([compact(PLAIN)])
    assert (found.telling, found.references) == ([False], {"Patient/p"})


@pytest.mark.parametrize(
    "part",
    [
        {"effectiveDateTime": "2026-02-30"},
        {"status": 5},
        {"valueInteger": 1.5},
        {"code": {"text": "Anti-HIV"}},
        {"code": {"coding": [{"code": "B20", "system": "urn:any"}]}},
        {"code": {"coding": [{"code": "F32.1"}]}},
        {"note": [{"text": ["Efavirenz"]}]},
        {"HIV": True},
        {"valueQuantity": {"value": "5", "unit": "g"}},
        {"valueQuantity": {"unit": "}", "value": "5"}},
        {"valueQuantity": {"unit": "g", "extension": [{}], "value": "5"}},
        {"valueQuantity": {"extension": {}, "value": "5"}},
        {"valueQuantity": 5},
        {"content": [{"attachment": {"contentType": "text/plain", "data": "SElW"}}]},
        {"content": [{"attachment": {"data": "SElW", "contentType": "application/pdf"}}]},
        deep(30),
    ],
)
def test_what_the_walk_would_find_is_never_passed_over(part: dict[str, Any]) -> None:
    assert sift([compact(PLAIN), compact(PLAIN | part)]).telling == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        '{"valueQuantity":{"value":1e999}}',
        '{"c\\u006fde":"B20"}',
        '{"code":"\\u004220"}',
        '{"d\\u0061ta":"SElW"}',
        '{"value\\u0051uantity":{"value":"5"}}',
        '{"text":"a\\":\\"H\\u0049V"}',
    ],
)
def test_escapes_hide_nothing(text: str) -> None:
    assert sift([text]).telling == [True]


@pytest.mark.parametrize("name", ["synthea-sof-gerardo-*", "clinosim-*", "ips-*", "carebundle-*"])
def test_real_resources_are_passed_over_only_where_the_walk_finds_nothing(name: str) -> None:
    passed_over = 0
    for path in shared("data/fhir/bundles").glob(name):
        docs = [entry["resource"] for entry in json.loads(gzip.decompress(path.read_bytes()))["entry"]]
        gate = Gate()
        telling = sift([compact(doc) for doc in docs]).telling
        missed = [doc for doc, tells in zip(docs, telling, strict=True) if not tells and _finds(doc, gate)]
        assert missed == []
        passed_over += telling.count(False)
    assert passed_over


def _finds(doc: dict[str, Any], gate: Gate) -> bool:
    found = survey(doc, "")
    tells = found.reasons or found.opaque or found.unreadable
    return bool(tells) or gate.judge(found) != Finding("keep")


@given(st.lists(DOCS, max_size=4))
def test_pieces_hold_the_pairs_of_the_whole_texts(docs: list[dict[str, Any]]) -> None:
    raws = [msgspec.json.encode(doc).decode() for doc in docs]
    whole = {pair for raw in raws for pair in PAIR.findall(raw)}
    # What stands in the place of a quantity tells nothing.
    assert pairs_of(raws) - {'"":0'} == whole - {'"":0'}


def test_each_distinct_piece_is_read_once() -> None:
    raws = [f'{{"a":"x","valueQuantity":{{"value":{number},"unit":"g"}},"b":[1,2]}}' for number in range(3)]
    assert pairs_of(raws) == {
        '"a":"x"',
        '"b":[',
        '"":0',
        *(f'"valueQuantity":{{"value":{number},"unit":"g"}}' for number in range(3)),
    }
