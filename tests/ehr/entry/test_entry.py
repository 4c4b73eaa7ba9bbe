"""Manual entry by staff of a facility without software: the same record, the same gate, the same matching."""

import json
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from identity import budgets
from store.database import Store
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

PLACE = "/v1/facility/entry/records"


def visit(citizen: Citizen, **more: Any) -> dict[str, Any]:
    person = {
        "numbers": [{"kind": "national-id", "value": citizen.number}],
        "name": citizen.name,
        "birth_date": citizen.birth_date,
        "sex": citizen.sex,
    }
    encounter = {"kind": "outpatient", "started_at": "2026-11-20T08:00:00+07:00", "reason": "Đau đầu"}
    return {"person": person, "encounter": encounter} | more


CLINICAL: dict[str, Any] = {
    "diagnoses": [{"code": "I10", "name": "Tăng huyết áp"}, {"name": "Đau đầu"}],
    "vital_signs": {"pulse": "76", "systolic": "150", "diastolic": "95", "weight": "58.50"},
    "results": [
        {"kind": "laboratory", "name": "Glucose máu", "value": "5.60", "unit": "mmol/L"},
        {"kind": "imaging", "name": "X-quang ngực", "conclusion": "Bình thường"},
    ],
    "medications": [
        {
            "name": "Amlodipin",
            "strength": "5 mg",
            "dosage": "1 viên/lần * 1 lần/ngày * 30 ngày [1 viên/ngày]",
            "quantity": "30",
            "unit": "viên",
        }
    ],
    "allergies": [{"substance": "Penicillin", "category": "medication", "reaction": "Mày đay"}],
    "immunizations": [{"vaccine": "Cúm mùa", "given_at": "2025-10", "lot_number": "A1", "dose_number": 1}],
    "procedures": [{"name": "Khí dung"}],
    "advice": "Ăn nhạt.",
    "revisit_on": "2026-12-20",
}


async def enter(
    client: httpx.AsyncClient, who: Doctor, body: dict[str, Any], key: str | None = None
) -> httpx.Response:
    headers = bearer(who.token) | ({"Idempotency-Key": key} if key else {})
    return await client.post(PLACE, json=body, headers=headers)


async def test_a_doctor_enters_a_visit_and_all_of_it_is_in_the_book(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, visit(citizen, **CLINICAL))
        assert sent.status_code == 201, sent.text
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
        timeline = await client.get("/v1/me/timeline", headers=bearer(citizen.token))
        summary = await client.get("/v1/me/summary", headers=bearer(citizen.token))
    back = ("Hẹn khám lại", "2026-12-20")
    visited = timeline.json()["items"][0]["items"]
    assert back in [(item["title"], item.get("date")) for item in visited]
    plans = next(part for part in summary.json()["sections"] if part["key"] == "care-plans")
    assert back in [(item["title"], item.get("date")) for item in plans["items"]]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await rows(store, citizen.patient_id):
        found.setdefault(row[0], []).append(json.loads(row[7]))
    counts = {rtype: len(docs) for rtype, docs in found.items()}
    assert counts == {
        "Patient": 1,
        "Encounter": 1,
        "Condition": 2,
        "Observation": 4,
        "DiagnosticReport": 1,
        "MedicationRequest": 1,
        "AllergyIntolerance": 1,
        "Immunization": 1,
        "Procedure": 1,
        "CarePlan": 1,
        "Appointment": 1,
    }
    medicine = found["MedicationRequest"][0]
    assert medicine["requester"]["display"] == doctor.actor.name
    assert medicine["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] == "2026-12-19"
    assert citizen.number not in json.dumps(found)
    assert doctor.actor.name in log.text
    assert "nhập một lần khám vào sổ" in log.text
    assert str(citizen.patient_id) not in sent.text


async def test_s19_known_unknown_and_conflicting_persons_get_one_answer(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    known, unknown, conflicting = visit(citizen), visit(citizen), visit(citizen)
    unknown["person"] = known["person"] | {"numbers": [{"kind": "national-id", "value": "079000000077"}]}
    conflicting["person"] = known["person"] | {"name": "Người Khác"}
    answers = []
    async with client_of(store, clock) as client:
        for body in (known, unknown, conflicting):
            sent = await enter(client, doctor, body)
            shape = sent.json()
            shape.pop("entry_id")
            answers.append((sent.status_code, shape, sorted(sent.headers)))
    assert answers[0] == answers[1] == answers[2]


async def test_s17_a_number_with_another_name_writes_nothing_into_the_book(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    body = visit(citizen, allergies=[{"substance": "Penicillin"}])
    body["person"]["name"] = "Người Khác"
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, body)
        assert sent.status_code == 201
        place = f"{PLACE}/{sent.json()['entry_id']}"
        assert await rows(store, citizen.patient_id) == []
        put = await client.put(place, json=visit(citizen), headers=bearer(doctor.token))
        assert put.json()["status"] == "amended"
    assert {row[0] for row in await rows(store, citizen.patient_id)} == {"Patient", "Encounter"}


async def test_the_gate_reads_forms_like_files(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    told = visit(citizen, advice="Tiếp tục uống ARV", diagnoses=[{"code": "B20", "name": "x"}])
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, told)
    assert sent.status_code == 201
    kept = await rows(store, citizen.patient_id)
    assert {row[0] for row in kept} == {"Patient", "Encounter"}
    assert not any("ARV" in row[7] or "B20" in row[7] for row in kept)


async def test_an_amended_entry_keeps_what_stands_and_retracts_the_rest(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    nurse = await make_doctor(store, clock, facility, role="nurse")
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, visit(citizen, **CLINICAL))
        place = f"{PLACE}/{sent.json()['entry_id']}"
        less = {key: value for key, value in CLINICAL.items() if key != "allergies"}
        put = await client.put(place, json=visit(citizen, **less), headers=bearer(nurse.token))
        assert (put.json()["version"], put.json()["status"]) == (2, "amended")
        got = await client.get(place, headers=bearer(doctor.token))
        assert got.json() == put.json()
    deleted = [row[0] for row in await rows(store, citizen.patient_id) if row[6]]
    assert deleted == ["AllergyIntolerance"]


async def test_a_withdrawn_entry_leaves_the_book_and_stays_withdrawn(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, visit(citizen, **CLINICAL))
        place = f"{PLACE}/{sent.json()['entry_id']}"
        done = await client.post(f"{place}/withdraw", headers=bearer(doctor.token))
        assert (done.status_code, done.json()["status"]) == (200, "withdrawn")
        again = await client.put(place, json=visit(citizen), headers=bearer(doctor.token))
        assert (again.status_code, again.json()["code"]) == (409, "entry-withdrawn")
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
        assert "rút lại một lần khám đã nhập" in log.text
    assert all(row[6] for row in await rows(store, citizen.patient_id))


async def test_s3_another_facility_finds_no_entry_to_change(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    other = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, visit(citizen, **CLINICAL))
        before = await rows(store, citizen.patient_id)
        place, header = f"{PLACE}/{sent.json()['entry_id']}", bearer(other.token)
        answers = [
            await client.get(place, headers=header),
            await client.put(place, json=visit(citizen), headers=header),
            await client.post(f"{place}/withdraw", headers=header),
        ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "entry-not-found")}
    assert await rows(store, citizen.patient_id) == before


async def test_a_clerk_enters_the_visit_but_nothing_clinical(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    clerk = await make_doctor(store, clock, facility, role="clerk")
    doctor = await make_doctor(store, clock, facility)
    async with client_of(store, clock) as client:
        taken = await enter(client, clerk, visit(citizen, revisit_on="2026-12-20"))
        assert taken.status_code == 201
        for name, value in CLINICAL.items():
            if name == "revisit_on":
                continue
            refused = await enter(client, clerk, visit(citizen, **{name: value}))
            assert (refused.status_code, refused.json()["code"]) == (403, "entry-clinical"), name
        sent = await enter(client, doctor, visit(citizen, **CLINICAL))
        place = f"{PLACE}/{sent.json()['entry_id']}"
        emptied = await client.put(place, json=visit(citizen), headers=bearer(clerk.token))
        taken_back = await client.post(f"{place}/withdraw", headers=bearer(clerk.token))
    assert (emptied.status_code, taken_back.status_code) == (403, 403)


async def test_a_repeat_with_the_same_key_is_one_entry(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        first = await enter(client, doctor, visit(citizen), "entry-key-0123456789ab")
        clock.advance(seconds=timedelta(minutes=1).seconds)
        again = await enter(client, doctor, visit(citizen), "entry-key-0123456789ab")
        other = await enter(client, doctor, visit(citizen, advice="khác"), "entry-key-0123456789ab")
    assert first.json() == again.json()
    assert other.json()["code"] == "idempotency-key-reused"


@pytest.mark.parametrize(
    ("more", "status", "where"),
    [
        ({"encounter": {"kind": "outpatient", "started_at": "2099-01-01"}}, 422, "encounter.started_at"),
        ({"encounter": {"kind": "outpatient", "started_at": "2026-02-30"}}, 422, "encounter.started_at"),
        ({"revisit_on": "2020-01-01"}, 422, "revisit_on"),
        ({"immunizations": [{"vaccine": "x", "given_at": "2031"}]}, 422, "immunizations[0].given_at"),
        ({"vital_signs": {"pulse": "nhanh"}}, 400, "vital_signs"),
        ({"diagnoses": [{"name": "x", "code": "xyz"}]}, 400, "diagnoses"),
        ({"unknown": 1}, 400, ""),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_kept(
    store: Store, clock: FrozenClock, more: dict[str, Any], status: int, where: str
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await enter(client, doctor, visit(citizen, **more))
    assert sent.status_code in (status, 422), sent.text
    assert where in sent.text
    assert await rows(store, citizen.patient_id) == []


async def test_s33_an_account_types_in_so_many_visits_a_day_and_is_told_when_it_may_go_on(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "ENTRIES_DAY", msgspec.structs.replace(budgets.ENTRIES_DAY, limit=2))
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    nurse, colleague = [await make_doctor(store, clock, facility, role="nurse") for _ in range(2)]
    async with client_of(store, clock) as client:
        first = await enter(client, nurse, visit(citizen), key="entry-key-0123456789cd")
        repeated = await enter(client, nurse, visit(citizen), key="entry-key-0123456789cd")
        place = f"{PLACE}/{first.json()['entry_id']}"
        amended = await client.put(place, json=visit(citizen, advice="Ăn nhạt."), headers=bearer(nurse.token))
        refused = [
            await enter(client, nurse, visit(citizen)),
            await client.put(place, json=visit(citizen), headers=bearer(nurse.token)),
        ]
        assert [a.status_code for a in (first, repeated, amended)] == [201, 201, 200]
        for answer in refused:
            assert (answer.status_code, answer.json()["code"]) == (429, "too-many"), answer.text
            assert int(answer.headers["Retry-After"]) == 24 * 3600
        assert (await enter(client, colleague, visit(citizen))).status_code == 201
        # What was typed in by mistake can always be taken back.
        withdrawn = await client.post(f"{place}/withdraw", headers=bearer(nurse.token))
        assert withdrawn.status_code == 200
