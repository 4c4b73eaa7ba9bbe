"""A station follows a person: the person reads for what and until when; no other facility changes it."""

from typing import Any
from uuid import UUID

from store.database import Store
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine
from tests.support.programmes import PLACE, enrol, enrolment, programmes, record_visit


async def test_the_person_reads_for_what_and_when_the_next_visit_is(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    nurse = await make_doctor(store, clock, facility, "nurse")
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(citizen, next_visit_on="2026-11-05", stage="Độ 1"))
        signs = {"systolic": "150", "diastolic": "95"}
        told = await record_visit(
            client, nurse, place, next_visit_on="2026-12-05", vital_signs=signs, advice="Ăn nhạt."
        )
        assert (told["status"], told["version"], told["next_visit_on"]) == ("active", 2, "2026-12-05")
        (item,) = await programmes(client, citizen)
        summary = (await client.get("/v1/me/summary", headers=bearer(citizen.token))).json()
        visits = (await client.get("/v1/me/encounters", headers=bearer(citizen.token))).json()["items"]
        timeline = await client.get("/v1/me/timeline", headers=bearer(citizen.token))
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
    assert item["title"] == "Được theo dõi tăng huyết áp"
    assert item["text"] == (
        f"Được theo dõi tăng huyết áp tại {facility.name} từ 01/10/2026. Lần khám tới: 05/12/2026."
    )
    assert (item["next_visit_on"], item["lines"], item["kind"]) == (
        "2026-12-05",
        ["Giai đoạn: Độ 1"],
        "CarePlan",
    )
    plans = next(part for part in summary["sections"] if part["key"] == "care-plans")
    assert item["title"] in [one["title"] for one in plans["items"]]
    assert [one["encounter"]["title"] for one in visits] == ["Khám theo dõi tăng huyết áp"]
    assert visits[0]["plans"][0]["text"] == "Ăn nhạt."
    assert item["title"] in timeline.text
    assert "ghi một lần khám theo dõi" in log.text
    found = {row[0] for row in await rows(store, citizen.patient_id)}
    assert found == {"Patient", "EpisodeOfCare", "CarePlan", "Encounter", "Observation"}


async def test_an_older_visit_told_late_moves_no_next_day(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(citizen))
        await record_visit(client, nurse, place, next_visit_on="2026-12-05")
        late = await record_visit(client, nurse, place, visited_on="2026-10-20", next_visit_on="2026-11-01")
        assert late["next_visit_on"] == "2026-12-05"


async def test_stage_end_and_withdrawal(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    headers = bearer(nurse.token)
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(citizen, next_visit_on="2026-12-05"))
        told = await client.post(f"{place}/stage", json={"stage": "Độ 2"}, headers=headers)
        assert told.json()["next_visit_on"] == "2026-12-05"
        end = {"reason": "transferred", "ended_on": "2026-11-20", "to_facility": "Trạm Y tế Bình An"}
        ended = await client.post(f"{place}/end", json=end, headers=headers)
        assert (ended.json()["status"], ended.json()["next_visit_on"]) == ("ended", None)
        (item,) = await programmes(client, citizen)
        assert item["lines"] == ["Giai đoạn: Độ 2", "Kết thúc: chuyển nơi theo dõi (Trạm Y tế Bình An)."]
        assert (item["status"], item["end_date"], "next_visit_on" in item) == (
            "completed",
            "2026-11-20",
            False,
        )
        again = await client.post(f"{place}/visits", json={"visited_on": "2026-11-21"}, headers=headers)
        assert (again.status_code, again.json()["code"]) == (409, "enrolment-ended")
        gone = await client.post(f"{place}/withdraw", headers=headers)
        assert gone.json()["status"] == "withdrawn"
        assert await programmes(client, citizen) == []
        twice = await client.post(f"{place}/withdraw", headers=headers)
        assert (twice.status_code, twice.json()["code"]) == (409, "enrolment-ended")


async def test_a_visit_typed_in_by_mistake_is_taken_back(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(citizen))
        told = await record_visit(client, nurse, place)
        back = f"{place}/visits/{told['visit_id']}/withdraw"
        done = await client.post(back, headers=bearer(nurse.token))
        assert done.status_code == 200
        visits = await client.get("/v1/me/encounters", headers=bearer(citizen.token))
        assert visits.json()["items"] == []
        twice = await client.post(back, headers=bearer(nurse.token))
        assert (twice.status_code, twice.json()["code"]) == (404, "visit-not-found")


async def test_a_visit_taken_back_leaves_neither_its_day_nor_its_stage(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(citizen, next_visit_on="2026-12-05", stage="Độ 1"))
        told = await record_visit(client, nurse, place, next_visit_on="2027-06-01", stage="Độ 3")
        moved = enrolment(citizen, next_visit_on="2027-06-01", stage="Độ 3", enrolled_on="2026-10-02")
        assert (await client.put(place, json=moved, headers=bearer(nurse.token))).status_code == 200
        back = f"{place}/visits/{told['visit_id']}/withdraw"
        done = await client.post(back, headers=bearer(nurse.token))
        (item,) = await programmes(client, citizen)
        kept = (await client.get(place, headers=bearer(nurse.token))).json()["enrolment"]
    assert done.json()["next_visit_on"] == "2026-12-05"
    assert item["text"].endswith("từ 02/10/2026. Lần khám tới: 05/12/2026.")
    assert item["lines"] == ["Giai đoạn: Độ 1"]
    assert (kept["body"]["stage"], kept["body"]["next_visit_on"]) == ("Độ 1", "2026-12-05")


async def test_each_visit_keeps_the_name_of_who_recorded_it(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    one, two = [await make_doctor(store, clock, facility, "nurse") for _ in range(2)]
    async with client_of(store, clock) as client:
        place = await enrol(client, one, enrolment(citizen))
        await record_visit(client, one, place)
        before = [row for row in await rows(store, citizen.patient_id) if row[0] == "Encounter"]
        await client.post(f"{place}/stage", json={"stage": "Độ 2"}, headers=bearer(two.token))
        after = [row for row in await rows(store, citizen.patient_id) if row[0] == "Encounter"]
    assert before == after


async def test_s3_another_facility_finds_no_enrolment_to_change(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    other = await make_doctor(store, clock, await make_facility(store, clock), "doctor")
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(citizen))
        before = await rows(store, citizen.patient_id)
        tries: list[tuple[str, str, dict[str, Any] | None]] = [
            ("GET", place, None),
            ("PUT", place, enrolment(citizen)),
            ("POST", f"{place}/visits", {"visited_on": "2026-11-05"}),
            ("POST", f"{place}/stage", {"stage": "x"}),
            ("POST", f"{place}/end", {"reason": "completed", "ended_on": "2026-11-05"}),
            ("POST", f"{place}/withdraw", None),
        ]
        for method, path, body in tries:
            answer = await client.request(method, path, json=body, headers=bearer(other.token))
            assert (answer.status_code, answer.json()["code"]) == (404, "enrolment-not-found"), path
    assert await rows(store, citizen.patient_id) == before


async def test_s19_known_unknown_and_conflicting_persons_get_one_answer(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    known, unknown, conflicting = enrolment(citizen), enrolment(citizen), enrolment(citizen)
    unknown["person"] = known["person"] | {"numbers": [{"kind": "national-id", "value": "079000000077"}]}
    conflicting["person"] = known["person"] | {"name": "Người Khác"}
    answers = []
    async with client_of(store, clock) as client:
        for body in (known, unknown, conflicting):
            sent = await client.post(PLACE, json=body, headers=bearer(nurse.token))
            made = sent.json()
            ident = made.pop("enrolment_id")
            read = await client.get(f"{PLACE}/{ident}", headers=bearer(nurse.token))
            visited = await client.post(
                f"{PLACE}/{ident}/visits", json={"visited_on": "2026-11-05"}, headers=bearer(nurse.token)
            )
            told = visited.json()
            assert UUID(told.pop("enrolment_id")) == UUID(ident)
            told.pop("visit_id")
            answers.append((sent.status_code, made, sorted(sent.headers), read.status_code, told))
    assert answers[0] == answers[1] == answers[2]
    assert len(await rows(store, citizen.patient_id)) == 4


async def test_what_the_gate_stops_is_told_without_its_content_and_kept_nowhere(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        for more in ({"stage": "Đang uống ARV"}, {"stage": "HIV âm tính"}):
            body = enrolment(citizen, **more)
            told = await client.post(PLACE, json=body, headers=bearer(nurse.token))
            assert (told.status_code, told.json()["code"]) == (422, "programme-withheld")
            assert more["stage"] not in told.text
        hiv = await client.post(PLACE, json=enrolment(citizen, "hiv"), headers=bearer(nurse.token))
        assert hiv.status_code in (400, 422)
        place = await enrol(client, nurse, enrolment(citizen))
        visit = {"visited_on": "2026-11-05", "advice": "Uống methadone mỗi ngày"}
        told = await client.post(f"{place}/visits", json=visit, headers=bearer(nurse.token))
        assert (told.status_code, told.json()["code"]) == (422, "programme-withheld")
        kept = await client.get(place, headers=bearer(nurse.token))
        assert kept.json()["enrolment"]["visits"] == []
    async with owner.transaction() as tx:
        enrolled = await tx.fetchval(
            "SELECT count(*) FROM programme_enrolment WHERE patient_id = $1", citizen.patient_id
        )
        hits = await tx.fetchval("SELECT sum(withheld) FROM ehr_gate_count")
    assert enrolled == 1
    assert hits >= 3


async def test_wrong_days_are_named(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"enrolled_on": "2026-12-24"}, "future-date enrolled_on"),
        ({"next_visit_on": "2026-09-01"}, "bad-date next_visit_on"),
        ({"next_visit_on": "9999-12-31"}, "bad-date next_visit_on"),
        ({"programme": "pregnancy"}, "missing-field pregnancy"),
        ({"pregnancy": {}}, "unexpected-field pregnancy"),
        ({"programme": "pregnancy", "pregnancy": {}}, "missing-field pregnancy.last_period_on"),
        (
            {"programme": "pregnancy", "pregnancy": {"due_on": "9999-12-31"}},
            "bad-date pregnancy.due_on",
        ),
        (
            {"programme": "pregnancy", "pregnancy": {"last_period_on": "2027-01-01"}},
            "future-date pregnancy.last_period_on",
        ),
    ]
    for far, reason in (("0001-01-01", "bad-date"), ("9999-12-31", "future-date")):
        for dating in ({"last_period_on": "2026-09-01"}, {"due_on": "2027-06-01"}, {"due_on": "0001-02-01"}):
            more = {"programme": "pregnancy", "pregnancy": dating, "enrolled_on": far}
            wrong.append((more, f"{reason} enrolled_on"))
    far_back = {"last_period_on": "0001-01-01"}
    wrong.append(({"programme": "pregnancy", "pregnancy": far_back}, "bad-date pregnancy.last_period_on"))
    async with client_of(store, clock) as client:
        for more, place in wrong:
            told = await client.post(PLACE, json=enrolment(citizen, **more), headers=bearer(nurse.token))
            assert (told.status_code, told.json()["code"]) == (422, "programme-invalid"), more
            assert place in told.text, (place, told.text)
        place = await enrol(client, nurse, enrolment(citizen))
        dose = {"visited_on": "2026-11-05", "tetanus": {"number": 1}}
        told = await client.post(f"{place}/visits", json=dose, headers=bearer(nurse.token))
        assert "unexpected-field visits[0].tetanus" in told.text
    assert len(await rows(store, citizen.patient_id)) == 3


async def test_a_register_number_stands_once_and_a_repeat_makes_nothing(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    nurse = await make_doctor(store, clock, facility, "nurse")
    system = await make_machine(store, clock, facility)
    headers = bearer(nurse.token) | {"Idempotency-Key": "a-key-of-sixteen-letters"}
    body = enrolment(citizen, register_number="THA-017")
    async with client_of(store, clock) as client:
        first = await client.post(PLACE, json=body, headers=headers)
        second = await client.post(PLACE, json=body, headers=headers)
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        third = await client.post(PLACE, json=body, headers=bearer(system.token))
        assert (third.status_code, third.json()["code"]) == (409, "enrolment-exists")
        changed = body | {"stage": "Độ 2"}
        place = f"{PLACE}/{first.json()['enrolment_id']}"
        amended = await client.put(place, json=changed, headers=bearer(system.token))
        assert amended.json()["version"] == 2
        other = await client.put(place, json=enrolment(citizen, "diabetes"), headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "programme-invalid")


async def test_how_often_and_until_when_a_facility_reports_stands_beside_it(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    body = enrolment(citizen, "diabetes", frequency="quarterly", reported_on="2026-10-01")
    async with client_of(store, clock) as client:
        await enrol(client, nurse, body)
        (item,) = await programmes(client, citizen)
    assert item["lines"] == ["Cơ sở báo cáo mỗi quý một lần; số liệu đến ngày 01/10/2026."]
    assert item["text"].endswith("Chưa hẹn lần khám tới.")
