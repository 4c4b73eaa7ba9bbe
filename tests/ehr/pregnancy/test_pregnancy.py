"""A pregnancy in the book: by week, with visits and doses; who learns of it, and who must not (S23)."""

from typing import Any

import httpx
import pytest

from kernel.access import Label
from store.database import Store
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.programmes import PLACE, enrol, enrolment, pregnancy, programmes, record_visit

TELLING = ("thai", "dự sinh", "uốn ván", "Khám theo dõi", "pregnan")


async def of(
    client: httpx.AsyncClient, token: str, path: str = "/v1/me/pregnancy", **headers: str
) -> dict[str, Any]:
    answer = await client.get(path, headers=bearer(token) | headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_person_reads_the_week_the_visits_and_the_doses(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        assert (await of(client, citizen.token))["items"] == []
        place = await enrol(client, nurse, pregnancy(citizen))
        dose = {"number": 1, "lot_number": "TT26"}
        await record_visit(client, nurse, place, tetanus=dose, next_visit_on="2026-12-05")
        answer = await of(client, citizen.token)
        summary = await of(client, citizen.token, "/v1/me/summary")
        shots = await of(client, citizen.token, "/v1/me/immunizations")
    (one,) = answer["items"]
    assert (one["weeks"], one["days"], one["due_on"], one["dated_by"]) == (20, 0, "2027-04-10", "last-period")
    assert one["text_vi"] == "Thai 20 tuần 0 ngày. Ngày dự sinh 10/04/2027 (tính theo kỳ kinh cuối)."
    assert one["next_visit_on"] == "2026-12-05"
    assert [(v["week"], v["state"]) for v in one["visits"][:3]] == [
        (12, "missed"),
        (20, "done"),
        (26, "not-yet"),
    ]
    assert [(d["number"], d["state"], d["from_day"]) for d in one["tetanus"]] == [
        (1, "given", None),
        (2, "not-yet", "2026-12-05"),
    ]
    assert "115" in answer["danger_vi"]
    assert answer["sources"]["status"] == "unconfirmed"
    parts = {part["key"]: [item["title"] for item in part["items"]] for part in summary["sections"]}
    assert parts["pregnancy"] == ["Ngày dự sinh"]
    assert parts["care-plans"] == ["Được theo dõi thai kỳ"]
    assert [item["title"] for item in shots["items"]] == ["Vắc xin uốn ván"]


async def test_doses_that_another_facility_gave_count_as_far_as_the_reader_sees_them(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    here, there = [
        await make_doctor(store, clock, await make_facility(store, clock), "nurse") for _ in range(2)
    ]
    reader = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(
        store, clock, reader, citizen, types=frozenset(["Observation.pregnancy", "CarePlan", "Encounter"])
    )
    old = pregnancy(citizen, pregnancy={"due_on": "2025-06-01"}, enrolled_on="2025-01-10")
    old.pop("next_visit_on")
    async with client_of(store, clock) as client:
        place = await enrol(client, there, old)
        await record_visit(client, there, place, visited_on="2025-01-10", tetanus={"number": 1})
        await record_visit(client, there, place, visited_on="2026-11-05", tetanus={"number": 2})
        end = {"reason": "birth", "ended_on": "2025-06-03"}
        await client.post(f"{place}/end", json=end, headers=bearer(there.token))
        await enrol(client, here, pregnancy(citizen, pregnancy={"last_period_on": "2026-07-04"}))
        (one,) = (await of(client, citizen.token))["items"]
        path = f"/v1/doctor/patients/{citizen.patient_id}/pregnancy"
        (seen,) = (await of(client, reader.token, path))["items"]
    assert [(d["number"], d["state"], d["given_on"], d["elsewhere"]) for d in one["tetanus"]] == [
        (2, "given", "2026-11-05", True),
        (3, "not-yet", None, False),
    ]
    assert [(d["number"], d["state"]) for d in seen["tetanus"]] == [(1, "due")]


async def test_a_birth_closes_it(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    near = pregnancy(citizen, pregnancy={"due_on": "2026-11-25"})
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, near)
        assert len((await of(client, citizen.token))["items"]) == 1
        end = {"reason": "birth", "ended_on": "2026-11-20"}
        done = await client.post(f"{place}/end", json=end, headers=bearer(nurse.token))
        assert done.status_code == 200, done.text
        assert (await of(client, citizen.token))["items"] == []
        summary = await of(client, citizen.token, "/v1/me/summary")
        (item,) = await programmes(client, citizen)
    assert {"pregnancy", "care-plans"}.isdisjoint(part["key"] for part in summary["sections"])
    assert (item["status"], item["lines"]) == ("completed", ["Kết thúc: đã sinh."])


async def test_past_the_due_date_the_sentence_says_where_to_go(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    late = {"due_on": "2026-11-19"}
    async with client_of(store, clock) as client:
        await enrol(client, nurse, pregnancy(citizen, pregnancy=late))
        (one,) = (await of(client, citizen.token))["items"]
    assert one["text_vi"].startswith("Đã quá ngày dự sinh 2 ngày.")
    assert "khoa sản" in one["text_vi"]


async def test_a_grant_opens_it_by_its_own_name_alone(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    with_it = await make_doctor(store, clock, await make_facility(store, clock))
    without = await make_doctor(store, clock, await make_facility(store, clock))
    vaccinator = await make_doctor(store, clock, await make_facility(store, clock), "vaccinator")
    base = f"/v1/doctor/patients/{citizen.patient_id}"
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, pregnancy(citizen))
        await record_visit(client, nurse, place, advice="Uống sắt khi mang thai.", tetanus={"number": 1})
        await enrol(client, nurse, enrolment(citizen))
        everything = ["CarePlan", "Encounter", "Immunization", "Observation.other", "Condition"]
        await granted(store, clock, without, citizen, types=frozenset(everything))
        await granted(store, clock, with_it, citizen, types=frozenset([*everything, "Observation.pregnancy"]))
        await granted(
            store, clock, vaccinator, citizen, types=frozenset(["Immunization", "Observation.pregnancy"])
        )
        paths = ("summary", "timeline", "programmes", "pregnancy", "encounters")
        for path in paths:
            answer = await client.get(f"{base}/{path}", headers=bearer(without.token))
            assert answer.status_code == 200, path
            told = answer.text if path != "pregnancy" else str(answer.json()["items"])
            for word in ("thai", "dự sinh"):
                assert word not in told, (path, word)
        listed = await of(client, without.token, f"{base}/programmes")
        assert [item["title"] for item in listed["items"]] == ["Được theo dõi tăng huyết áp"]
        for who in (with_it, vaccinator):
            assert len((await of(client, who.token, f"{base}/pregnancy"))["items"]) == 1
        shown = await of(client, with_it.token, f"{base}/programmes")
        assert len(shown["items"]) == 2
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
    assert "xem các chương trình theo dõi" in log.text


async def _hide(client: httpx.AsyncClient, citizen: Citizen, kind: str, ident: str) -> None:
    made = await client.post(
        "/v1/me/hidings", json={"kind": kind, "id": ident}, headers=bearer(citizen.token)
    )
    assert made.status_code == 201, made.text


PATHS = ("summary", "timeline", "programmes", "pregnancy", "encounters", "immunizations", "vital-signs")


@pytest.mark.parametrize("what", ["CarePlan", "Encounter"])
async def test_s23_what_is_hidden_of_a_pregnancy_hides_all_of_it_from_a_proxy_later_visits_too(
    store: Store, clock: FrozenClock, what: str
) -> None:
    citizen = await make_citizen(store, clock)
    husband = await make_citizen(store, clock, name="Trần Văn Chồng", sex="male")
    await make_proxy(store, clock, citizen, husband, "read-record")
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    acting = {"X-Patient-Id": str(citizen.patient_id)}

    async def looks(client: httpx.AsyncClient) -> dict[str, str]:
        found = {}
        for path in PATHS:
            answer = await client.get(f"/v1/me/{path}", headers=bearer(husband.token) | acting)
            assert answer.status_code == 200, path
            body = answer.json()
            found[path] = str(body["items"]) if "items" in body else answer.text
        return found

    async with client_of(store, clock) as client:
        before = await looks(client)
        place = await enrol(client, nurse, pregnancy(citizen))
        await record_visit(client, nurse, place, tetanus={"number": 1}, advice="Nghỉ ngơi.")
        assert "thai kỳ" in (await looks(client))["programmes"]
        kept = [row for row in await rows(store, citizen.patient_id) if row[0] == what]
        plan = next(item for item in await programmes(client, citizen))["id"]
        await _hide(client, citizen, what, plan if what == "CarePlan" else kept[0][1])
        assert await looks(client) == before
        later = {"visited_on": "2026-11-19", "tetanus": {"number": 2}, "advice": "Khám đều."}
        await record_visit(client, nurse, place, **later)
        assert await looks(client) == before
        # The person's own sight keeps it, marked.
        (mine,) = await programmes(client, citizen)
        assert mine["hidden"] is True
        assert len((await of(client, citizen.token))["items"]) == 1


async def test_s23_a_pregnancy_kept_from_the_family_is_on_no_path_of_a_proxy(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    husband = await make_citizen(store, clock, name="Trần Văn Chồng", sex="male")
    await make_proxy(store, clock, citizen, husband, "read-record")
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    acting = bearer(husband.token) | {"X-Patient-Id": str(citizen.patient_id)}
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, pregnancy(citizen, kept_from_family=True))
        signs = {"weight": "55"}
        await record_visit(client, nurse, place, tetanus={"number": 1}, vital_signs=signs, advice="Nghỉ.")
        for path in PATHS:
            answer = await client.get(f"/v1/me/{path}", headers=acting)
            body = answer.json()
            told = str(body["items"]) if "items" in body else answer.text
            assert told == "[]" or "items" not in body, path
            assert "thai" not in told, path
            assert "uốn ván" not in told, path
        assert len((await of(client, citizen.token))["items"]) == 1


async def test_s23_the_guardian_of_a_pregnant_child_learns_nothing_of_it(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    for birth_date in ("2013-05-01", "2010-05-01"):
        child = await make_child(store, clock, mother, birth_date)
        number = await _number_of(store, child)
        body = pregnancy(mother)
        body["person"] = {
            "numbers": [{"kind": "national-id", "value": number}],
            "name": "Trần Bé Thử",
            "birth_date": birth_date,
            "sex": "female",
        }
        acting = bearer(mother.token) | {"X-Patient-Id": str(child)}
        async with client_of(store, clock) as client:
            place = await enrol(client, nurse, body)
            await record_visit(client, nurse, place, tetanus={"number": 1}, advice="Nghỉ ngơi.")
            assert len(await rows(store, child)) >= 6
            for path in (*PATHS, "access-log"):
                answer = await client.get(f"/v1/me/{path}", headers=acting)
                told = answer.text
                if path == "pregnancy" and answer.status_code == 200:
                    told = str(answer.json()["items"])
                    assert told == "[]"
                for word in TELLING:
                    assert word not in told, (birth_date, path, word)
            # What came to the guardian's own phone and stands in the own log tells nothing either.
            for path in ("notifications", "access-log"):
                answer = await client.get(f"/v1/me/{path}", headers=bearer(mother.token))
                assert answer.status_code == 200, path
                for word in (*TELLING, "programme", "chương trình"):
                    assert word not in answer.text, (birth_date, path, word)


async def _labels(store: Store, patient_id: Any) -> set[int]:
    async with store.transaction() as tx:
        found = await tx.fetch(
            "SELECT labels FROM ehr_resource WHERE patient_id = $1 AND rtype <> 'Patient' AND NOT deleted",
            patient_id,
        )
    return {row[0] for row in found}


async def test_s23_a_birthday_takes_no_label_off_a_child_s_pregnancy(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    nurse = await make_doctor(store, clock, facility, "nurse")
    birth_date = "2011-12-05"
    child = await make_child(store, clock, mother, birth_date)
    body = pregnancy(mother)
    body["person"] = {
        "numbers": [{"kind": "national-id", "value": await _number_of(store, child)}],
        "name": "Trần Bé Thử",
        "birth_date": birth_date,
        "sex": "female",
    }
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, body)
        before = await _labels(store, child)
        clock.advance(days=30)
        nurse = await make_doctor(store, clock, facility, "nurse")
        end = {"reason": "birth", "ended_on": "2026-12-20"}
        done = await client.post(f"{place}/end", json=end, headers=bearer(nurse.token))
        assert done.status_code == 200, done.text
        later = body | {"enrolled_on": "2026-12-10", "pregnancy": {"last_period_on": "2026-12-06"}}
        amended = await client.put(place, json=later, headers=bearer(nurse.token))
        assert amended.status_code == 200, amended.text
    both = Label.SDV | Label.SEX
    assert {label & both for label in before} == {both}
    assert {label & both for label in await _labels(store, child)} == {both}


async def _number_of(store: Store, patient_id: Any) -> str:
    from identity.people import own_identifiers

    async with store.transaction() as tx:
        return next(one.value for one in await own_identifiers(tx, store.keys, patient_id))


async def test_another_facility_that_dates_it_stands_beside(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        for facts in ({"last_period_on": "2026-07-04"}, {"ultrasound": {"on": "2026-10-01", "weeks": 14}}):
            nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
            made = await client.post(
                PLACE, json=pregnancy(citizen, pregnancy=facts), headers=bearer(nurse.token)
            )
            assert made.status_code == 201
        items = (await of(client, citizen.token))["items"]
    assert {one["dated_by"] for one in items} == {"last-period", "ultrasound"}
    assert len({one["facility_name"] for one in items}) == 2
