"""Observations of others: the examples of HL7's guide for health devices, and what hospitals write in a word.

Everything that is read goes through the same gate as a batch, in the same test.
"""

import json
from datetime import UTC, datetime
from math import isnan
from typing import Any

import pytest

from tests.support.shared import shared
from vitals.accepting import accept
from vitals.decoding import Decoded
from vitals.imports import hospital_text
from vitals.imports.fhir import read
from vitals.imports.found import Found
from vitals.models import Accepted

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
FOLDER = "data/vitals/hl7-phd"
# file: kinds and values of what is read, and the codes of what is not.
EXAMPLES: dict[str, tuple[list[tuple[str, float, str, str | None]], list[str]]] = {
    "bundle-example-1": ([("spo2", 98, "%", None), ("heart-rate", 47, "/min", None)], []),
    "coin-example-1": ([], []),
    "compound-observation-glucose": ([("glucose", 6.3, "mmol/L", "post-meal")], []),
    "glucose-observation": ([("glucose", 99, "mg/dL", None)], []),
    "meal-context-observation": ([], ["kind-unknown"]),
    "numeric-observation-not-a-number": ([], ["kind-unknown"]),
    "numeric-spo2-alarm": ([("spo2", 79, "%", None)], []),
    "numeric-spotnumeric": ([("heart-rate", 48, "/min", None)], []),
    "rtsa-example": ([], ["kind-unknown"]),
    "rtsa-example-2": ([], ["kind-unknown"]),
    "stringenum-1234": ([], ["kind-unknown"]),
    "temperature-observation": ([("temperature", 36.5, "Cel", None)], []),
}
NO_OBSERVATION = (
    "patientExample-1",
    "patientExample-2",
    "phd-74E8FFFEFF051C00.001C05FFE874",
    "phg-ecde3d4e58532d31.000000000000",
)


def example(name: str) -> Found:
    return read(shared(f"{FOLDER}/{name}.json").read_bytes())


def through_the_gate(found: Found) -> Accepted:
    batch = Decoded(
        sha256=b"",
        device="import",
        seq=1,
        sent_at=NOW,
        sources=found.sources,
        samples=found.samples,
        series=found.series,
        deleted=found.deleted,
        streams={},
        windows=[],
        rejected=[],
    )
    return accept(batch, None, NOW, NOW, series_days=36_500)


def observation(**more: Any) -> dict[str, Any]:
    coding = [{"system": "urn:iso:std:iso:11073:10101", "code": "150456"}]
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": coding},
        "effectiveDateTime": "2026-11-21T16:00:00+07:00",
    } | more


def read_one(**more: Any) -> Found:
    return read(json.dumps(observation(**more)).encode())


def percent(value: float) -> dict[str, Any]:
    return {"value": value, "system": "http://unitsofmeasure.org", "code": "%"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_of_the_guide_for_health_devices_is_read_or_refused_with_a_code(name: str) -> None:
    values, codes = EXAMPLES[name]
    found = example(name)
    assert [(one.k, one.v, one.u, one.ctx) for one in found.samples] == values
    assert [one.code for one in found.rejected] == codes
    accepted = through_the_gate(found)
    assert (len(accepted.samples), list(accepted.rejected)) == (len(values), [])


@pytest.mark.parametrize("name", NO_OBSERVATION)
def test_a_document_without_an_observation_is_refused(name: str) -> None:
    found = example(name)
    assert [one.code for one in found.rejected] == ["malformed"]
    assert not found.samples


def test_a_gateway_s_continuous_bundle_gives_each_value_once_and_nothing_that_is_no_number() -> None:
    found = example("bundle-continuousnonin")
    assert len(found.samples) == 24
    assert {one.k for one in found.samples} == {"spo2", "heart-rate"}
    assert {one.code for one in found.rejected} == {"kind-unknown"}
    assert len(found.samples) + len(found.rejected) == 47
    assert len({one.id for one in found.samples}) == 24
    # The same document again is the same readings.
    assert [one.id for one in example("bundle-continuousnonin").samples] == [one.id for one in found.samples]


def test_the_clock_of_a_device_is_read_from_what_two_clocks_said_at_once() -> None:
    """Times stay as they were sent."""
    found = example("bundle-example-1")
    assert found.clock_offset_ms == -1064
    assert example("coin-example-1").clock_offset_ms == 5000
    assert found.samples[0].t.isoformat() == "2019-09-20T12:40:16.936000-04:00"
    assert found.samples[0].z == -240


def test_the_device_of_a_value_is_its_source() -> None:
    found = example("bundle-example-1")
    (source,) = found.sources
    assert (source.kind, source.method) == ("oximeter", "automatic")
    assert source.model is not None
    assert source.model.startswith("Nonin")


@pytest.mark.parametrize("code", ["not-a-number", "unknown", "positive-infinity"])
def test_an_absent_value_is_refused_and_never_zero(code: str) -> None:
    system = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
    found = read_one(dataAbsentReason={"coding": [{"system": system, "code": code}]})
    assert [one.code for one in found.rejected] == ["implausible"]
    assert not found.samples


@pytest.mark.parametrize("value", [0, 101, -5])
def test_what_a_probe_that_fell_off_says_stays_out(value: float) -> None:
    accepted = through_the_gate(read_one(valueQuantity=percent(value)))
    assert [one.code for one in accepted.rejected] == ["implausible"]


def test_sampled_data_becomes_a_series_and_its_gaps_no_values() -> None:
    data = {"origin": percent(90), "period": 500, "factor": 0.5, "dimensions": 1, "data": "14 15 E 16 U L"}
    found = read_one(valueSampledData=data)
    (series,) = found.series
    assert series.v[:2] == [97, 97.5]
    assert [isnan(value) for value in series.v] == [False, False, True, False, True, True]
    accepted = through_the_gate(found)
    (row,) = accepted.series
    assert list(row.values) == [970, 975, 980]
    assert row.offsets is not None
    assert list(row.offsets) == [0, 500, 1500]
    assert [one.n for one in accepted.points_dropped] == [3]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valueQuantity": percent(97), "status": "cancelled"}, "malformed"),
        ({"valueQuantity": percent(97), "status": "entered-in-error"}, "malformed"),
        ({"valueQuantity": percent(97), "effectiveDateTime": "2026-11-21"}, "tz-missing"),
        ({"valueQuantity": percent(97), "effectiveDateTime": "2026-11-21T16:00:00"}, "tz-missing"),
        ({"valueQuantity": percent(97), "effectiveDateTime": "2026-11-21T16:00:00+23:00"}, "tz-missing"),
        ({"valueQuantity": percent(97), "effectiveDateTime": "yesterday, at noon"}, "tz-missing"),
        ({"valueQuantity": percent(97), "effectivePeriod": {"start": "2026-11-21"}}, "tz-missing"),
        ({"valueQuantity": {"value": "97"}}, "malformed"),
        ({"valueQuantity": percent(97), "code": {"text": "SpO2"}}, "kind-unknown"),
        ({"valueQuantity": percent(97), "code": None}, "malformed"),
        (
            {"valueSampledData": {"origin": percent(0), "period": 0, "dimensions": 1, "data": "1"}},
            "series-shape",
        ),
        (
            {"valueSampledData": {"origin": percent(0), "period": 9, "dimensions": 2, "data": "1"}},
            "series-shape",
        ),
        (
            {"valueSampledData": {"origin": percent(0), "period": 9, "dimensions": 1, "data": ""}},
            "series-shape",
        ),
        (
            {"valueSampledData": {"origin": percent(0), "period": 9, "dimensions": 1, "data": "x"}},
            "series-shape",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_code(more: dict[str, Any], code: str) -> None:
    found = read_one(**more)
    assert [one.code for one in found.rejected] == [code]
    assert not found.samples
    assert not found.series


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b"null", b'{"resourceType":"Bundle","entry":[1]}'])
def test_what_is_no_document_is_one_rejection(document: bytes) -> None:
    assert [one.code for one in read(document).rejected] == ["malformed"]


def test_a_unit_that_nobody_knows_is_refused_at_the_gate() -> None:
    accepted = through_the_gate(read_one(valueQuantity={"value": 97, "code": "parsec"}))
    assert [one.code for one in accepted.rejected] == ["unit-unknown"]


def test_a_device_s_name_keeps_no_sign_that_a_database_refuses() -> None:
    device = {"resourceType": "Device", "id": "d", "modelNumber": "A\u0000B\n" + "x" * 500}
    made = observation(valueQuantity=percent(97), device={"reference": "Device/d"})
    bundle = {"resourceType": "Bundle", "entry": [{"resource": device}, {"resource": made}]}
    (source,) = read(json.dumps(bundle).encode()).sources
    assert source.model is not None
    assert source.model.startswith("ABx")
    assert len(source.model) == 120


def test_a_hospital_s_word_becomes_samples_through_the_gate() -> None:
    found = hospital_text.read("M75_T37_HA120/70_NT18_SP97", NOW, "BV X")
    assert [(one.k, one.v, one.v2) for one in found.samples] == [
        ("heart-rate", 75, None),
        ("temperature", 37, None),
        ("blood-pressure", 120, 70),
        ("resp-rate", 18, None),
        ("spo2", 97, None),
    ]
    accepted = through_the_gate(found)
    assert (len(accepted.samples), list(accepted.rejected), found.rejected) == (5, [], [])
    assert found.sources[0].method == "manual"


@pytest.mark.parametrize("text", ["<M75_T37,5_HL2>", "m75_t37.5_hl2"])
def test_a_part_without_a_published_meaning_is_named_and_the_rest_read(text: str) -> None:
    found = hospital_text.read(text, NOW, "BV X")
    assert [one.v for one in found.samples] == [75, 37.5]
    assert [(one.i, one.code) for one in found.rejected] == [(2, "kind-unknown")]


@pytest.mark.parametrize("text", ["", "M", "M7555", "HA120", "HA70/120", "SP0", "T٣٧"])
def test_a_word_that_says_no_plausible_sign_stores_none(text: str) -> None:
    found = hospital_text.read(text, NOW, "BV X")
    assert through_the_gate(found).samples == []
    assert found.rejected or through_the_gate(found).rejected
