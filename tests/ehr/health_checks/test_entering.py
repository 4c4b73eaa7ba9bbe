"""Health checks entered one by one: the same record, gate and matching as every import."""

import json
from typing import Any

import msgspec
import pytest

from ehr.intake.drafts import UnitDraft
from ehr.intake.models import PersonFacts
from ehr.intake.survey import survey
from ehr.intake.withhold import apply_gate
from identity import budgets
from store.database import Store
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.health_checks import PLACE, VALUES, check, enter, person
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine


async def docs(store: Store, patient_id: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await rows(store, patient_id):
        if not row[6]:
            found.setdefault(row[0], []).append(json.loads(row[7]))
    return found


async def test_a_check_is_a_form_a_visit_and_its_signs_in_the_book(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    values = VALUES | {
        "TENDICHVU_1": "Glucose máu",
        "MANHOM_1": "1",
        "KETQUA_1": "5.60",
        "TENDICHVU_2": "X-quang ngực",
        "MANHOM_2": "Chẩn đoán hình ảnh",
        "KETQUA_2": "Bình thường",
        "TENBENH_1": "Sâu răng",
        "MABENH_1": "K02.1",
    }
    async with client_of(store, clock) as client:
        sent = await enter(client, nurse, check(citizen, values=values))
        assert sent.status_code == 201, sent.text
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
        listed = await client.get("/v1/me/health-checks", headers=bearer(citizen.token))
        shown = listed.json()["items"][0]
        one = await client.get(f"/v1/me/health-checks/{shown['id']}", headers=bearer(citizen.token))
        timeline = await client.get("/v1/me/timeline", headers=bearer(citizen.token))
        signs = await client.get("/v1/me/vital-signs", headers=bearer(citizen.token))
    found = await docs(store, citizen.patient_id)
    assert {rtype: len(made) for rtype, made in found.items()} == {
        "Patient": 1,
        "Encounter": 1,
        "QuestionnaireResponse": 1,
        "Observation": 6,
        "DiagnosticReport": 1,
        "Condition": 1,
    }
    assert citizen.number not in json.dumps(found)
    assert citizen.name not in json.dumps(found, ensure_ascii=False)
    assert shown["health_class"] == "Loại II"
    assert (shown["conclusion"], shown["valid_until"]) == ("Đủ sức khỏe học tập", "2027-11-19")
    assert (shown["validity"], shown["kind"], shown["date"]) == ("valid", "school", "2026-11-20")
    sections = {part["code"]: part for part in one.json()["sections"]}
    assert sections["signs"]["title"] == "Dấu hiệu sinh tồn, chỉ số nhân trắc"
    told = {line["name"]: (line["value"], line["unit"]) for line in sections["signs"]["answers"]}
    assert told["CANNANG"] == ("28.50", "kg")
    assert told["NHIETDO"] == ("36.5", "°C")
    assert sections["eyesight"]["answers"][0]["value"] == "không"
    # A result waits for its release where its facility says so: it stands in the visit and not on the form.
    assert "5.60" not in one.text
    visit = timeline.json()["items"][0]
    assert visit["encounter"]["id"] == shown["visit_id"]
    assert (visit["encounter"]["title"], visit["title"]) == ("Khám sức khỏe học sinh", "Sâu răng")
    assert {"Khám sức khỏe học sinh", "Glucose máu", "X-quang ngực"} <= {
        item["title"] for item in visit["items"]
    }
    assert "Cân nặng" in signs.text
    assert "nhập một phiếu khám sức khỏe vào sổ" in log.text
    assert nurse.actor.name in log.text


async def test_s19_known_unknown_and_conflicting_persons_get_one_answer(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    bodies = [
        check(citizen, check_number="1"),
        check(
            citizen,
            check_number="2",
            person=person(citizen, numbers=[{"kind": "national-id", "value": "079000000077"}]),
        ),
        check(citizen, check_number="3", person=person(citizen, name="Người Khác")),
    ]
    answers = []
    async with client_of(store, clock) as client:
        for body in bodies:
            sent = await enter(client, doctor, body)
            shape = sent.json()
            shape.pop("check_id")
            answers.append((sent.status_code, shape, sorted(sent.headers)))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 201


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"values": {"CANNANG": "2850"}}, "implausible CANNANG"),
        ({"values": {"CANNANG": "nặng"}}, "bad-number CANNANG"),
        ({"values": {"SUDUNGKINH": "có lẽ"}}, "bad-code SUDUNGKINH"),
        ({"values": {"HOTEN": "x"}}, "unknown-field values"),
        ({"values": {"TENDICHVU_1": "x", "MANHOM_1": "3"}}, "bad-code MANHOM_1"),
        ({"values": {"KETQUA_2": "x"}}, "missing-field TENDICHVU_2"),
        ({"values": {"MABENH_1": "răng"}}, "bad-code MABENH_1"),
        ({"values": {"MATPHAI": "9" * 61}}, "too-long MATPHAI"),
        ({"done_on": "2026-12-24"}, "future-date done_on"),
        ({"done_on": "1026-12-24"}, "bad-date done_on"),
        ({"valid_until": "2026-11-01"}, "bad-date valid_until"),
        ({"valid_until": "2099-11-01"}, "bad-date valid_until"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_written(
    store: Store, clock: FrozenClock, changed: dict[str, Any], place: str
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, check(citizen, **changed))
    assert (sent.status_code, sent.json()["code"]) == (422, "health-check-invalid")
    assert place in sent.text
    assert await rows(store, citizen.patient_id) == []


async def test_the_persons_own_number_is_no_number_of_a_check(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, check(citizen, check_number=citizen.number))
    assert sent.status_code == 422
    assert "number-of-person check_number" in sent.text
    assert citizen.number not in sent.text


async def test_a_form_that_nobody_knows_or_of_another_kind_is_refused(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        for changed in ({"form": "qd1551-01"}, {"form_version": 99}):
            sent = await enter(client, doctor, check(citizen, **changed))
            assert (sent.status_code, sent.json()["code"]) == (422, "health-check-form-unknown")
        forms = await client.get(f"{PLACE}/forms", headers=bearer(doctor.token))
    (form,) = forms.json()["forms"]
    assert (form["form"], form["version"]) == ("831-d", 1)
    assert "QĐ 831" in form["source"]
    assert {"full_name", "check_number", "CANNANG", "TENBENH_5"} <= set(form["columns"])


async def test_the_gate_drops_a_line_of_the_form_and_the_rest_stays(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    told = VALUES | {"KHAC": "Xét nghiệm HIV âm tính", "TENBENH_1": "x", "MABENH_1": "B20"}
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, check(citizen, values=told))
        assert sent.status_code == 201
        listed = await client.get("/v1/me/health-checks", headers=bearer(citizen.token))
        place = f"/v1/me/health-checks/{listed.json()['items'][0]['id']}"
        one = await client.get(place, headers=bearer(citizen.token))
    kept = await docs(store, citizen.patient_id)
    assert "HIV" not in json.dumps(kept, ensure_ascii=False)
    assert "B20" not in json.dumps(kept)
    assert "Condition" not in kept
    assert "HIV" not in one.text
    assert "Sâu răng số 6" in one.text


async def test_a_conclusion_that_tells_goes_and_the_class_stays(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        await enter(client, doctor, check(citizen, conclusion="Đang điều trị ARV", values={}))
        listed = await client.get("/v1/me/health-checks", headers=bearer(citizen.token))
    (shown,) = listed.json()["items"]
    assert shown["conclusion"] is None
    assert shown["health_class"] == "Loại II"


async def test_an_amended_check_keeps_what_stands_and_retracts_the_rest(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    doctor, nurse = (
        await make_doctor(store, clock, facility),
        await make_doctor(store, clock, facility, role="nurse"),
    )
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, check(citizen))
        place = f"{PLACE}/{sent.json()['check_id']}"
        less = {name: text for name, text in VALUES.items() if name != "MACH"}
        put = await client.put(place, json=check(citizen, values=less), headers=bearer(nurse.token))
        assert (put.status_code, put.json()["version"], put.json()["status"]) == (200, 2, "amended")
        got = await client.get(place, headers=bearer(doctor.token))
        assert got.json() == put.json()
        other = await client.put(place, json=check(citizen, check_number="x"), headers=bearer(nurse.token))
        assert other.status_code == 422
        listed = await client.get("/v1/me/health-checks", headers=bearer(citizen.token))
        assert len(listed.json()["items"]) == 1
    gone = [row for row in await rows(store, citizen.patient_id) if row[6]]
    assert [row[0] for row in gone] == ["Observation"]


async def test_a_withdrawn_check_leaves_the_book_and_stays_withdrawn(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, check(citizen))
        place = f"{PLACE}/{sent.json()['check_id']}"
        done = await client.post(f"{place}/withdraw", headers=bearer(doctor.token))
        assert (done.status_code, done.json()["status"]) == (200, "withdrawn")
        again = [
            await client.put(place, json=check(citizen), headers=bearer(doctor.token)),
            await client.post(f"{place}/withdraw", headers=bearer(doctor.token)),
            await enter(client, doctor, check(citizen)),
        ]
        assert {(one.status_code, one.json()["code"]) for one in again} == {(409, "health-check-withdrawn")}
        listed = await client.get("/v1/me/health-checks", headers=bearer(citizen.token))
        assert listed.json()["items"] == []
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
        assert "rút lại một phiếu khám sức khỏe" in log.text
    assert all(row[6] for row in await rows(store, citizen.patient_id))


async def test_s3_another_facility_finds_no_check_to_change_and_its_own_numbers_are_its_own(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    other = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, check(citizen))
        before = await rows(store, citizen.patient_id)
        place, header = f"{PLACE}/{sent.json()['check_id']}", bearer(other.token)
        answers = [
            await client.get(place, headers=header),
            await client.put(place, json=check(citizen), headers=header),
            await client.post(f"{place}/withdraw", headers=header),
        ]
        assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "health-check-not-found")}
        assert await rows(store, citizen.patient_id) == before
        second = await enter(client, other, check(citizen))
        assert second.status_code == 201
        assert second.json()["check_id"] != sent.json()["check_id"]
        listed = await client.get("/v1/me/health-checks", headers=bearer(citizen.token))
    assert len(listed.json()["items"]) == 2


async def test_a_repeated_request_makes_one_check_and_another_of_its_number_is_refused(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        first = await enter(client, doctor, check(citizen), key="4d2b1f6e-0c1a-4c53-9f0e-0a6f1c2d3e4f")
        second = await enter(client, doctor, check(citizen), key="4d2b1f6e-0c1a-4c53-9f0e-0a6f1c2d3e4f")
        assert (second.status_code, second.json()) == (201, first.json())
        third = await enter(client, doctor, check(citizen), key="5d2b1f6e-0c1a-4c53-9f0e-0a6f1c2d3e4f")
    assert (third.status_code, third.json()["code"]) == (409, "health-check-exists")


def test_a_form_of_somebody_else_is_dropped_whole() -> None:
    items = [
        {"linkId": "1", "text": "Xét nghiệm HIV", "answer": [{"valueString": "âm tính"}]},
        {"linkId": "2", "text": "Ho", "answer": [{"valueString": "không"}]},
    ]
    kept = {}
    for form in ("http://example.org/form", "urn:vn:so-suc-khoe:health-check-form:831-d|1"):
        draft = UnitDraft("gate")
        reference = draft.name("QuestionnaireResponse")
        draft.add(reference, {"questionnaire": form, "status": "completed", "item": items}, "form")
        unit = draft.unit("gate", "gate", PersonFacts())
        surveys = [survey(item.doc, item.where) for item in unit.items]
        kept[form] = [one.item.raw for one in apply_gate(unit, surveys).passed]
    assert kept["http://example.org/form"] == []
    (ours,) = kept["urn:vn:so-suc-khoe:health-check-form:831-d|1"]
    assert "Ho" in ours
    assert "HIV" not in ours


async def test_s33_a_facilitys_system_has_a_days_budget_of_its_own(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, limit in (("ENTRIES_DAY", 1), ("SYSTEM_ENTRIES_DAY", 2)):
        monkeypatch.setattr(budgets, name, msgspec.structs.replace(getattr(budgets, name), limit=limit))
    facility = await make_facility(store, clock)
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, facility, role="nurse")
    machine = await make_machine(store, clock, facility)
    async with client_of(store, clock) as client:
        for token, allowed in ((nurse.token, 1), (machine.token, 2)):
            answers = [
                await client.post(
                    PLACE, json=check(citizen, check_number=f"{token[-4:]}{n}"), headers=bearer(token)
                )
                for n in range(allowed + 1)
            ]
            assert [one.status_code for one in answers] == [201] * allowed + [429]
