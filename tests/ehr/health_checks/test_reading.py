"""Who reads health checks, what stands beside what, and what is due. Their sender reads nothing."""

import json
from datetime import date
from typing import Any

import httpx

from ehr.exports import ips
from ehr.health_checks.reading import compared
from ehr.health_checks.rules import DueRule, DueRules, LastCheck, due_checks, rules
from ehr.reads import summary
from ehr.views.checks import CheckAnswer
from identity.people import own_identifiers
from kernel.clock import add_months
from store.database import Store
from tests.support.actors import routes
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.exports import pdf_pages, step_up
from tests.support.family import make_child
from tests.support.health_checks import PLACE, SESSION, VALUES, check, enter, fields, person, send, table
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import own

ME = "/v1/me/health-checks"


async def listed(client: httpx.AsyncClient, who: Citizen) -> dict[str, Any]:
    got = await client.get(ME, headers=bearer(who.token))
    assert got.status_code == 200, got.text
    page: dict[str, Any] = got.json()
    return page


async def test_this_year_stands_beside_last_year_field_by_field(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    last = VALUES | {
        "CANNANG": "25.00",
        "CHIEUCAO": "126,5",
        "KHAMRHM": "Bình thường",
        "KHAMMAT": "Bình thường",
    }
    del last["MACH"]
    async with client_of(store, clock) as client:
        await enter(client, doctor, check(citizen, check_number="work", kind="work", done_on="2026-03-01"))
        await enter(client, doctor, check(citizen, done_on="2025-11-18", values=last, valid_until=None))
        await enter(client, doctor, check(citizen))
        page = await listed(client, citizen)
        assert [one["date"] for one in page["items"]] == ["2026-11-20", "2026-03-01", "2025-11-18"]
        now, work, before = page["items"]
        got = await client.get(f"{ME}/{now['id']}/comparison", headers=bearer(citizen.token))
        told = got.json()
        assert told["before"]["id"] == before["id"]
        lines = {line["name"]: line for line in told["lines"]}
        weight = lines["CANNANG"]
        assert (weight["value_before"], weight["value"], weight["change"]) == ("25.00", "28.50", "+3.50")
        assert (lines["CHIEUCAO"]["change"], lines["CHIEUCAO"]["unit"]) == ("+5.5", "cm")
        assert (lines["MACH"]["state"], lines["KHAMMAT"]["state"]) == ("only-now", "only-before")
        assert (lines["KHAMRHM"]["state"], lines["KHAMRHM"]["change"]) == ("changed", None)
        assert (lines["MATPHAI"]["state"], lines["MATPHAI"]["change"]) == ("same", None)
        place = f"{ME}/{now['id']}/comparison?against={work['id']}"
        got = await client.get(place, headers=bearer(citizen.token))
        assert got.json()["before"]["id"] == work["id"]
        first = await client.get(f"{ME}/{before['id']}/comparison", headers=bearer(citizen.token))
        assert (first.json()["before"], first.json()["lines"]) == (None, [])
        for wrong in ("x", "../x", "' OR 1=1", now["visit_id"]):
            got = await client.get(
                f"{ME}/{httpx.URL(wrong).raw_path.decode().strip('/')}", headers=bearer(citizen.token)
            )
            assert got.status_code == 404
            got = await client.get(
                f"{ME}/{now['id']}/comparison", params={"against": wrong}, headers=bearer(citizen.token)
            )
            assert (got.status_code, got.json()["code"]) == (404, "health-check-not-found")


def test_values_of_two_units_have_no_difference() -> None:
    now = [CheckAnswer("s.A", "A", "5.6", "mmol/L"), CheckAnswer("s.B", "B", "2", None)]
    before = [CheckAnswer("s.A", "A", "100", "mg/dL"), CheckAnswer("other.B", "B", "1", None)]
    first, second = compared(now, before)
    assert (first.state, first.change) == ("units-differ", None)
    assert (second.state, second.change) == ("changed", None)
    (same,) = compared(now[:1], [CheckAnswer("s.A", "A", "5.60", "mmol/L")])
    assert (same.state, same.change) == ("same", "+0.00")


async def test_the_next_check_is_due_by_the_form_or_by_a_rule_that_says_whose_it_is(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        for number, changed in enumerate(
            (
                {"kind": "school"},
                {"kind": "yearly", "valid_until": None},
                {"kind": "driving-licence", "valid_until": None},
            )
        ):
            sent = await enter(client, doctor, check(citizen, check_number=f"{number}", **changed))
            assert sent.status_code == 201, sent.text
        due = (await listed(client, citizen))["due"]
    assert [(one["kind"], one["due_on"], one["basis"], one["is_confirmed"]) for one in due] == [
        ("school", "2027-11-19", "form", True),
        ("yearly", "2027-11-20", "rule", False),
    ]
    assert due[1]["rules_version"] == rules().version
    assert "chưa xác nhận" in due[1]["source_vi"]


def test_rules_say_what_they_rest_on_and_end_of_month_holds() -> None:
    assert not rules().is_confirmed
    assert all(rule.source for rule in rules().rules)
    table_ = DueRules("2", "test", True, [DueRule("work", 6, "a test of ours")])
    (due,) = due_checks([LastCheck("work", date(2024, 8, 31), None)], table_)
    assert (due.due_on, due.rules_version, due.is_confirmed) == (date(2025, 2, 28), "2", True)
    assert due_checks([LastCheck("school", date(2024, 8, 31), None)], table_) == []
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2025, 12, 1), 1) == date(2026, 1, 1)


async def test_a_doctor_reads_them_under_a_grant_that_names_forms_and_no_other(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    sender = await make_doctor(store, clock, facility)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    narrow = await make_doctor(store, clock, await make_facility(store, clock))
    base = f"/v1/doctor/patients/{citizen.patient_id}/health-checks"
    async with client_of(store, clock) as client:
        await enter(client, sender, check(citizen))
        (shown,) = (await listed(client, citizen))["items"]
        for path in (base, f"{base}/{shown['id']}", f"{base}/{shown['id']}/comparison"):
            got = await client.get(path, headers=bearer(doctor.token))
            assert (got.status_code, got.json()["code"]) == (403, "no-access")
        forms = frozenset({"QuestionnaireResponse", "Encounter"})
        await granted(store, clock, doctor, citizen, types=forms)
        await granted(store, clock, narrow, citizen, types=frozenset({"Condition"}))
        page = await client.get(base, headers=bearer(doctor.token))
        assert [one["id"] for one in page.json()["items"]] == [shown["id"]], page.text
        one = await client.get(f"{base}/{shown['id']}", headers=bearer(doctor.token))
        assert "28.50" in one.text
        none = await client.get(base, headers=bearer(narrow.token))
        assert (none.json()["items"], none.json()["due"]) == ([], [])
        gone = await client.get(f"{base}/{shown['id']}", headers=bearer(narrow.token))
        assert gone.status_code == 404
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
        assert "xem khám sức khỏe" in log.text


async def test_a_guardian_reads_the_childs_and_a_stranger_does_not(store: Store, clock: FrozenClock) -> None:
    mother, stranger = await make_citizen(store, clock), await make_citizen(store, clock)
    child = await make_child(store, clock, mother, birth_date="2018-03-12")
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with store.transaction() as tx:
        (number,) = [one.value for one in await own_identifiers(tx, store.keys, child)]
    named = {"numbers": [{"kind": "national-id", "value": number}], "name": "Trần Bé Thử"}
    async with client_of(store, clock) as client:
        await enter(client, doctor, check(mother, person=person(mother, birth_date="2018-03-12", **named)))
        header = {"X-Patient-Id": str(child)}
        seen = await client.get(ME, headers=bearer(mother.token) | header)
        assert len(seen.json()["items"]) == 1, seen.text
        assert (await client.get(ME, headers=bearer(stranger.token) | header)).status_code == 403


async def test_a_check_hidden_with_its_visit_is_seen_by_the_person_alone(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    sender = await make_doctor(store, clock, await make_facility(store, clock))
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, citizen, types=frozenset({"QuestionnaireResponse", "Encounter"}))
    base = f"/v1/doctor/patients/{citizen.patient_id}/health-checks"
    async with client_of(store, clock) as client:
        await enter(client, sender, check(citizen))
        (shown,) = (await listed(client, citizen))["items"]
        page = await client.get(base, headers=bearer(doctor.token))
        assert len(page.json()["items"]) == 1
        hidden = await client.post(
            "/v1/me/hidings",
            json={"kind": "Encounter", "id": shown["visit_id"]},
            headers=bearer(citizen.token),
        )
        assert hidden.status_code == 201, hidden.text
        page = await client.get(base, headers=bearer(doctor.token))
        assert (page.json()["items"], page.json()["due"]) == ([], [])
        (mine,) = (await listed(client, citizen))["items"]
    assert mine["hidden"] is True


async def test_they_leave_with_the_export_and_the_book_and_ips_stays_as_it_is(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))

    async def sections() -> list[str]:
        access = own(citizen.patient_id)
        async with store.transaction() as tx:
            built = await summary.read(tx, store.keys, access, clock.now())
            gathered = await ips.gather(tx, store.keys, access, built, clock.now())
        made = json.loads(ips.build(gathered, clock.now()).body)
        return [one["title"] for one in made["entry"][0]["resource"]["section"]]

    async with client_of(store, clock) as client:
        await enter(client, doctor, check(citizen, values={"KHAMRHM": "Sâu răng số 6"}))
        signed = step_up(citizen, "bundle", clock.now())
        bundle = await client.get("/v1/me/exports/bundle", headers=bearer(citizen.token) | signed)
        kinds = [entry["resource"]["resourceType"] for entry in bundle.json()["entry"]]
        assert kinds.count("QuestionnaireResponse") == 1
        signed = step_up(citizen, "book", clock.now())
        book = await client.get("/v1/me/exports/book.pdf", headers=bearer(citizen.token) | signed)
        pages = "\n".join(pdf_pages(book.content))
        assert "Khám sức khỏe học sinh" in pages
        assert "Loại II" in pages
        changes = await client.get("/v1/me/changes", headers=bearer(citizen.token))
        assert "health-checks" in {one["section"] for one in changes.json()["items"]}
    assert not any("sức khỏe" in title.casefold() for title in await sections())


async def test_an_employer_or_school_gets_nothing(store: Store, clock: FrozenClock) -> None:
    """Whoever asked for a session, and the facility that held it, learn what was accepted and no more: no
    route gives a facility, a clerk or a manager a check, and without a grant nobody else's opens."""
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    nurse = await make_doctor(store, clock, facility, role="nurse")
    staff = [await make_doctor(store, clock, facility, role=role) for role in ("clerk", "facility-admin")]
    base = f"/v1/doctor/patients/{citizen.patient_id}/health-checks"
    async with client_of(store, clock) as client:
        sent = await send(client, nurse.token, table([fields(citizen, "1", conclusion="Mù màu")]))
        (line,) = sent.json()["rows"]
        (shown,) = (await listed(client, citizen))["items"]
        paths = [SESSION, f"{SESSION}/{sent.json()['file']['file_id']}", f"{PLACE}/{line['id']}"]
        for who in (nurse, *staff):
            for path in (*paths, base, f"{base}/{shown['id']}", f"{base}/{shown['id']}/comparison"):
                got = await client.get(path, headers=bearer(who.token))
                for secret in ("Mù màu", "28.50", "Loại I", citizen.name, citizen.number, shown["id"]):
                    assert secret not in got.text
                assert got.status_code == (200 if who is nurse and path in paths else 403)
    readers = {
        actor
        for route in routes()
        for actor in route.actors
        if "health-checks" in route.path and route.method == "GET" and not route.path.startswith(PLACE)
    }
    assert readers == {"citizen", "doctor", "pharmacist", "vaccinator", "nurse"}
