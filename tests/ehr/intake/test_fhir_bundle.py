"""Reading Bundles: every place that is wrong is named, nothing wrong is taken."""

import gzip
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ehr.intake import reading
from ehr.intake.fhir_bundle import read_bundle
from ehr.intake.models import BadInputError, BadUnit
from ehr.intake.reading import read_units

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1955", "gender": "female"}


def entry(resource: dict[str, Any], method: str = "PUT", **more: Any) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}" if method == "PUT" else resource["resourceType"]
    return {"resource": resource, "request": {"method": method, "url": url} | more}


def allergy(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "code": {"text": "Penicillin"},
        "patient": {"reference": "Patient/p"},
    } | more


def made(*entries: dict[str, Any], kind: str = "transaction", **more: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)} | more).encode()


def reasons(data: bytes) -> set[tuple[str, str]]:
    with pytest.raises(BadInputError) as caught:
        read_bundle(data, "file")
    return {(reason.code, reason.where) for reason in caught.value.reasons}


def test_a_person_with_a_partial_birth_date_and_old_and_new_number_is_read() -> None:
    sid = "http://fhir.ehealth.gov.vn/core/sid/"
    identifiers = [
        {"system": sid + "citizen_id", "value": "012345678"},
        {"system": sid + "national_id", "value": "079155000011"},
        {"system": "urn:other", "value": "x"},
    ]
    name = [{"family": "Sai", "given": ["Tên"]}, {"text": "Nguyễn Thị Đúng"}]
    person = read_bundle(made(entry(PATIENT | {"identifier": identifiers, "name": name})), "f").unit.person
    assert person.identifiers == (("old-id", "012345678"), ("national-id", "079155000011"))
    assert (person.name, person.birth_date, person.sex) == ("Nguyễn Thị Đúng", "1955", "female")


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"recordedDate": "2026-02-30"}, "bad-date", "entry[1].resource.recordedDate"),
        ({"onsetDateTime": "2026-13"}, "bad-date", "entry[1].resource.onsetDateTime"),
        ({"onsetPeriod": {"start": "0000"}}, "bad-date", "entry[1].resource.onsetPeriod.start"),
        ({"patient": {"reference": "Patient/other"}}, "other-patient", "entry[1].resource.patient"),
        ({"patient": {"display": "p"}}, "no-subject", "entry[1].resource.patient"),
        ({"recorder": {"reference": "Patient/other"}}, "other-patient", "entry[1].resource"),
        ({"patient": {"reference": "Patient?identifier=1"}}, "other-patient", "entry[1].resource.patient"),
        ({"recorder": {"reference": "Encounter?x=1"}}, "condition-refused", "entry[1].resource"),
        ({"code": 5}, "bad-type", "entry[1].resource.code"),
        ({"code": {"coding": {}}}, "bad-type", "entry[1].resource.code.coding"),
        ({"id": "a/b"}, "bad-id", "entry[1].resource.id"),
        ({"resourceType": "Subscription"}, "type-refused", "entry[1].resource.resourceType"),
    ],
)
def test_a_wrong_element_is_refused_with_its_place(change: dict[str, Any], code: str, place: str) -> None:
    assert (code, place) in reasons(made(entry(PATIENT), entry(allergy(**change))))


@pytest.mark.parametrize(
    ("request_change", "code"),
    [
        ({"method": "DELETE"}, "method-refused"),
        ({"method": "GET"}, "method-refused"),
        ({"method": "PATCH"}, "method-refused"),
        ({"ifNoneExist": "identifier=1"}, "condition-refused"),
        ({"ifMatch": 'W/"1"'}, "condition-refused"),
        ({"url": "AllergyIntolerance?identifier=1"}, "condition-refused"),
        ({"url": "AllergyIntolerance/other"}, "url-mismatch"),
        ({"url": "Patient/p"}, "url-mismatch"),
    ],
)
def test_s3_only_plain_creates_and_updates_are_taken(request_change: dict[str, str], code: str) -> None:
    found = reasons(made(entry(PATIENT), entry(allergy(), **request_change)))
    assert {reason for reason, _ in found} == {code}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "bad-json"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[]}', "no-entry"),
        (b'{"resourceType":"Patient"}', "bad-bundle"),
        (b'{"resourceType":"Bundle","type":"history","entry":[{}]}', "bad-bundle"),
        (b"\xff\xfe{}", "bad-encoding"),
        (b"[" * 100_000, "bad-bundle"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":' + b'{"a":' * 9000, "too-deep"),
    ],
)
def test_what_is_no_bundle_is_refused(data: bytes, code: str) -> None:
    assert code in {reason for reason, _ in reasons(data)} | ({"bad-json"} if code == "too-deep" else set())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('"id":"a","id":"b"', "duplicate-key"),
        ('"id":"a","n":NaN', "bad-json"),
        ('"id":"a","n":"\\u0000"', "bad-text"),
        ('"id":"a","n":"\\ud800"', "bad-json"),
        ('"id":"a","n":' + "[" * 60 + "]" * 60, "too-deep"),
        ('"id":"a","valueQuantity":{"value":"5"}', "bad-type"),
        ('"id":"a","valueQuantity":{"value":1e399}', "bad-type"),
        ('"id":"a","valueQuantity":{"value":1e401}', "bad-number"),
        ('"id":"a","onsetAge":{"value":-1.5E+1000000}', "bad-number"),
        ('"id":"a","n":[{"m":1e-0001000000}]', "bad-number"),
        ('"id":"a","note":[{"text":"\\\\"}],"n":0e99999999', "bad-number"),
    ],
)
def test_json_that_two_readers_could_read_differently_is_refused(text: str, code: str) -> None:
    resource = '{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/p"},' + text + "}"
    whole = made(entry(PATIENT), entry(allergy())).decode()
    data = whole.replace(json.dumps(allergy()), resource).encode()
    found = {reason for reason, _ in reasons(data)}
    assert code in found or (code == "bad-json" and "bad-bundle" in found)


def test_a_text_that_looks_like_such_a_number_is_a_text() -> None:
    noted = {**allergy(), "note": [{"text": 'sha 1e1000000 "2E-99999"'}], "code": {"text": "5e400 \\"}}
    unit = read_bundle(made(entry(PATIENT), entry(noted)), "f").unit
    assert [json.loads(item.raw)["code"] for item in unit.items if item.rtype != "Patient"] == [noted["code"]]


def test_two_patients_or_none_make_no_unit() -> None:
    second = {"resourceType": "Patient", "id": "q"}
    assert reasons(made(entry(PATIENT), entry(second))) == {("several-patients", "Bundle.entry")}
    assert reasons(made(entry(allergy()))) == {("no-patient", "Bundle.entry")}


def test_a_duplicate_key_of_the_bundle_itself_is_refused() -> None:
    data = made(entry(PATIENT)).replace(b'"type": "transaction"', b'"type": "batch", "type": "transaction"')
    assert reasons(data) == {("duplicate-key", "Bundle")}


def test_a_claim_is_left_out_and_said_so() -> None:
    claim = {"resourceType": "ExplanationOfBenefit", "id": "c"}
    parsed = read_bundle(made(entry(PATIENT), entry(claim)), "f")
    assert parsed.not_kept == {"ExplanationOfBenefit": 1}
    assert [item.rtype for item in parsed.unit.items] == ["Patient"]


def test_a_gzip_that_swells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BUNDLE_BYTES_MAX", 1000)
    bomb = gzip.compress(b"{" + b" " * 1_000_000 + b"}")
    (found,) = read_units(io.BytesIO(bomb), "bomb.json.gz", NOW)
    assert isinstance(found, BadUnit)
    assert found.reasons[0].code == "too-large"


def test_a_cut_gzip_is_refused() -> None:
    (found,) = read_units(io.BytesIO(gzip.compress(made(entry(PATIENT)))[:-20]), "x", NOW)
    assert isinstance(found, BadUnit)
    assert found.reasons[0].code == "bad-gzip"


def test_a_file_name_that_tells_is_not_repeated() -> None:
    (found,) = read_units(io.BytesIO(b"?"), "benh_nhan_HIV.json", NOW)
    assert isinstance(found, BadUnit)
    assert "HIV" not in found.name + found.reasons[0].where
