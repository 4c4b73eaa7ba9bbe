"""The due list: a station's own people alone, longest overdue first, each read in that person's log."""

import csv
import io
from typing import Any

import httpx

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility
from tests.support.programmes import enrol, enrolment, record_visit

DUE = "/v1/facility/programmes/due"


async def due(client: httpx.AsyncClient, who: Doctor, **params: Any) -> dict[str, Any]:
    answer = await client.get(DUE, params=params, headers=bearer(who.token))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_longest_overdue_first_and_nobody_of_another_facility(store: Store, clock: FrozenClock) -> None:
    people = [await make_citizen(store, clock, name=f"Người Số {n}") for n in range(4)]
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    other = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    days = ("2026-11-25", "2026-10-10", "2027-06-01", None)
    async with client_of(store, clock) as client:
        for person, day in zip(people, days, strict=True):
            await enrol(client, nurse, enrolment(person, next_visit_on=day))
        await enrol(client, other, enrolment(people[0], "diabetes", next_visit_on="2026-11-01"))
        page = await due(client, nurse)
        whole = await due(client, nurse, until="2027-12-31")
        theirs = await due(client, other)
        none = await due(client, nurse, programme="pregnancy")
        logs = [
            (await client.get("/v1/me/access-log", headers=bearer(person.token))).text for person in people
        ]
    told = [(one["name"], one["days_overdue"]) for one in page["items"]]
    assert told == [("Người Số 1", 42), ("Người Số 0", -4)]
    assert [one["name"] for one in whole["items"]] == ["Người Số 1", "Người Số 0", "Người Số 2"]
    assert [(one["name"], one["programme"]) for one in theirs["items"]] == [("Người Số 0", "diabetes")]
    assert none["items"] == []
    opened = "mở danh sách người được cơ sở theo dõi"
    # The second person was shown twice, the third once, and the fourth never.
    assert [text.count(opened) > 0 for text in logs] == [True, True, True, False]


async def test_pages_show_everybody_once(store: Store, clock: FrozenClock) -> None:
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        for n in range(5):
            person = await make_citizen(store, clock, name=f"Người Số {n}")
            await enrol(client, nurse, enrolment(person, next_visit_on="2026-11-01"))
        cursor, seen = None, []
        while True:
            page = await due(client, nurse, limit=2, **({"cursor": cursor} if cursor else {}))
            seen += [one["name"] for one in page["items"]]
            if (cursor := page["next"]) is None:
                break
        bad = await client.get(DUE, params={"cursor": "abc"}, headers=bearer(nurse.token))
    assert sorted(seen) == [f"Người Số {n}" for n in range(5)]
    assert (bad.status_code, bad.json()["code"]) == (400, "bad-cursor")


async def test_a_visit_moves_a_person_and_an_end_takes_them_off(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(person, next_visit_on="2026-11-01"))
        await record_visit(client, nurse, place, next_visit_on="2026-11-30")
        (one,) = (await due(client, nurse))["items"]
        assert (one["next_visit_on"], one["last_visit_on"]) == ("2026-11-30", "2026-11-05")
        await client.post(
            f"{place}/end",
            json={"reason": "discharged", "ended_on": "2026-11-20"},
            headers=bearer(nurse.token),
        )
        assert (await due(client, nurse, until="2030-01-01"))["items"] == []


async def test_the_list_as_a_file_starts_no_formula(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        await enrol(client, nurse, enrolment(person, next_visit_on="2026-11-01", stage="=1+1"))
        answer = await client.get(f"{DUE}.csv", headers=bearer(nurse.token))
        log = await client.get("/v1/me/access-log", headers=bearer(person.token))
    assert answer.headers["content-type"].startswith("text/csv")
    header, line = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    told = dict(zip(header, line, strict=True))
    assert (told["ho_ten"], told["hen_kham"], told["qua_han_ngay"]) == (person.name, "2026-11-01", "20")
    assert told["giai_doan"] == "'=1+1"
    assert "mở danh sách" in log.text


async def test_s19_somebody_in_quarantine_stands_on_the_list_like_anybody(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    body = enrolment(person, next_visit_on="2026-11-01")
    body["person"]["name"] = "Người Khác"
    async with client_of(store, clock) as client:
        await enrol(client, nurse, body)
        (one,) = (await due(client, nurse))["items"]
        log = await client.get("/v1/me/access-log", headers=bearer(person.token))
    assert one["name"] == "Người Khác"
    assert "mở danh sách" not in log.text
