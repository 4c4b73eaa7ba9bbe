"""Exams that are due: read with their source, chosen, rung on their days and not once they are done."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from consent.decision import decide_job
from healthbook.look_jobs import look
from identity.sessions import open_citizen_session
from kernel.access import Label
from kernel.clock import VIETNAM
from reminders import queries
from reminders.looking import JOB, look_at
from reminders.screening import service
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.health_checks import check, enter
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, renew_session
from tests.support.record import write
from tests.support.reminding import Reminding
from tests.support.statistics import seen_with

PATH = "/v1/me/screenings"


def at(year: int, month: int, day: int, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=VIETNAM).astimezone(UTC)


def glucose(day: str, ident: str = "g1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"text": "Định lượng Glucose [Máu]"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": day,
        "valueString": "5.4",
    } | more


async def listed(client: httpx.AsyncClient, token: str, **headers: str) -> dict[str, dict[str, Any]]:
    got = await client.get(PATH, headers=bearer(token) | headers)
    assert got.status_code == 200, got.text
    return {one["rule"]: one for one in got.json()["items"]}


async def grandfather(here: Reminding) -> Citizen:
    here.citizen = await make_citizen(here.store, here.clock, birth_date="1960-05-01", sex="male")
    return here.citizen


async def examined(here: Reminding, **changed: Any) -> None:
    doctor = await make_doctor(here.store, here.clock, here.clinic)
    got = await enter(here.client, doctor, check(here.citizen, **changed))
    assert got.status_code in (200, 201, 202), got.text
    await here.work()


async def test_what_is_due_is_told_with_why_and_by_which_text(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, birth_date="1970-03-12", sex="female")
    await write(store, citizen.patient_id, [glucose("2023-11-01T08:00:00+07:00")], clock.now())
    async with client_of(store, clock) as client:
        shown = await listed(client, citizen.token)
        body = (await client.get(PATH, headers=bearer(citizen.token))).json()
    assert set(shown) == {"blood-glucose", "yearly-check", "cervical-screening", "breast-screening"}
    one = shown["blood-glucose"]
    assert (one["state"], one["due_on"], one["last_on"]) == ("due", "2026-11-01", "2023-11-01")
    assert (one["is_on"], one["is_confirmed"], one["basis"]) == (True, True, "rule")
    assert "3087/QĐ-BYT" in one["source_vi"]
    assert one["why_vi"]
    assert one["source_url"].startswith("https://")
    unread = shown["breast-screening"]
    assert (unread["is_on"], unread["is_confirmed"], unread["state"]) == (False, False, "not-found")
    assert "unconfirmed" in unread["read_note"]
    assert "chưa xác nhận" in unread["read_note_vi"]
    assert body["items"][0]["rule"] == "blood-glucose"
    assert (body["rules_version"], body["is_told"]) == ("2026-11-22", True)


async def test_what_was_only_ordered_or_is_hidden_is_no_exam(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, birth_date="1970-03-12", sex="male")
    ordered = glucose("2026-11-01", status="registered")
    del ordered["valueString"]
    await write(store, citizen.patient_id, [ordered], clock.now())
    async with client_of(store, clock) as client:
        assert (await listed(client, citizen.token))["blood-glucose"]["state"] == "not-found"
        await write(store, citizen.patient_id, [seen_with("E11", "2026-11-11")], clock.now())
        assert "blood-glucose" not in await listed(client, citizen.token), "followed for it already"


async def test_a_rule_is_switched_and_an_exam_elsewhere_is_said(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, birth_date="1980-03-12", sex="female")
    async with client_of(store, clock) as client:
        path, headers = f"{PATH}/cervical-screening", bearer(citizen.token)
        got = await client.put(path, json={"is_on": True, "done_on": "2025-06-30"}, headers=headers)
        assert (got.status_code, got.json()["is_on"]) == (200, True)
        one = (await listed(client, citizen.token))["cervical-screening"]
        assert (one["is_on"], one["last_said"], one["due_on"]) == (True, True, "2028-06-30")
        assert not one["is_confirmed"], "the person's wish confirms no rule"
        for body, code in (
            ({"done_on": "2026-11-22"}, "screening-day-wrong"),
            ({"done_on": "1990-01-01"}, "screening-day-wrong"),
        ):
            refused = await client.put(path, json=body, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (422, code)
        unknown = await client.put(f"{PATH}/palm-reading", json={"is_on": True}, headers=headers)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-screening")
        log = (await client.get("/v1/me/access-log", headers=headers)).text
    assert "chọn lại một mục khám, sàng lọc" in log
    assert "cervical" not in log, "what was chosen is not in the log that others of the family may read"


async def test_an_exam_is_told_before_and_after_its_day_and_not_once_it_was_done(here: Reminding) -> None:
    await grandfather(here)
    await examined(here, kind="elderly", done_on="2026-03-01", valid_until=None)
    await write(here.store, here.citizen.patient_id, [glucose("2026-10-01")], here.clock.now())
    await here.until(at(2027, 2, 16))
    assert await here.told("exam-due") == [("exam-due", "15 09:00")]
    await here.until(at(2027, 4, 1))
    assert [day for _, day in await here.told("exam-due")] == ["15 09:00", "31 09:00"]
    await examined(here, kind="yearly", done_on="2027-03-30", valid_until=None, check_number="B2")
    await here.until(at(2027, 12, 31))
    assert len(await here.told("exam-due")) == 2, "the next is in March 2028"
    notice = await here._row(
        "SELECT row_to_json(n)::text FROM notification n WHERE type = 'exam-due' LIMIT 1"
    )
    assert "elderly" not in str(notice[0])


async def test_a_form_says_when_the_next_is_due_to_a_person_of_any_age(here: Reminding) -> None:
    await examined(here, kind="driving-licence", done_on="2026-11-20", valid_until="2027-01-31")
    token = await renew_session(here.store, here.clock, here.citizen)
    one = (await listed(here.client, token))["driving-check"]
    assert (one["due_on"], one["basis"], one["is_on"]) == ("2027-01-31", "form", True)
    await here.until(at(2026, 11, 22))
    (shown,) = await here.reminders()
    assert (shown["kind"], shown["title"], shown["came_from"]["what"]) == (
        "exam",
        "Khám sức khỏe người lái xe",
        "screening-rule",
    )
    assert shown["came_from"]["source"]
    assert shown["came_from"]["text"]
    await here.until(at(2027, 1, 18))
    assert await here.told("exam-due") == [("exam-due", "17 09:00")]


async def test_a_rule_that_is_switched_off_rings_no_more(here: Reminding) -> None:
    await grandfather(here)
    await examined(here, kind="elderly", done_on="2026-03-01", valid_until=None)
    token = await renew_session(here.store, here.clock, here.citizen)
    await listed(here.client, token)
    for rule in ("elderly-check", "blood-glucose"):
        put = await here.client.put(f"{PATH}/{rule}", json={"is_on": False}, headers=bearer(token))
        assert put.status_code == 200
    await here.until(at(2027, 6, 1))
    assert await here.told("exam-due") == []
    async with here.store.transaction() as tx:
        tokens = await open_citizen_session(
            tx, here.citizen.patient_id, here.citizen.phone.device_id, here.clock.now()
        )
    on = {"json": {"is_on": True}, "headers": bearer(tokens.access_token)}
    assert (await here.client.put(f"{PATH}/elderly-check", **on)).status_code == 200
    await here.until(at(2027, 12, 31))
    assert len(await here.told("exam-due")) >= 1, "overdue is told again within half a year"


async def test_what_changed_since_the_last_look_is_asked_when_it_rings(here: Reminding) -> None:
    """The book is not looked at between the exam and the day."""
    await grandfather(here)
    await write(here.store, here.citizen.patient_id, [glucose("2026-10-01")], here.clock.now())
    await examined(here, kind="elderly", done_on="2026-03-01", valid_until=None)
    await here.until(at(2027, 2, 10))
    await examined(here, kind="yearly", done_on="2027-02-09", valid_until=None, check_number="B2")
    async with here.owner.transaction() as tx:
        await tx.execute("DELETE FROM due_queue WHERE kind = $1", JOB)
    await here.until(at(2027, 2, 16))
    assert await here.told("exam-due") == []
    assert ("15 09:00", "not-seen") in await here.outcomes()


async def test_looking_again_changes_nothing(here: Reminding) -> None:
    await grandfather(here)
    await examined(here, kind="elderly", done_on="2026-03-01", valid_until=None)
    await here.until(at(2026, 11, 22))
    rows = "SELECT reminder_id, version, next_at FROM reminder WHERE kind = 'exam' ORDER BY reminder_id"
    before = await here._rows(rows)
    assert len(before) == 2
    async with here.store.transaction() as tx:
        again = await look(tx, here.store.keys, str(here.citizen.patient_id), here.clock.now())
    assert again is not None
    assert await here._rows(rows) == before


@pytest.mark.parametrize("labels", [Label.NONE, Label.SDV])
async def test_s23_a_guardian_hears_of_a_childs_check_and_of_no_withheld_one(
    here: Reminding, labels: Label
) -> None:
    child = await make_child(here.store, here.clock, here.citizen, "2018-03-12")
    body = school_check("2026-11-20", "2026-12-11")
    await write(here.store, child, [body], here.clock.now(), labels=int(labels))
    token = await renew_session(here.store, here.clock, here.citizen)
    read = await listed(here.client, token, **{"X-Patient-Id": str(child)})
    async with here.store.transaction() as tx:
        await look_at(tx, child, here.clock.now())
    await here.until(at(2026, 11, 28))
    heard = await here.told("dependent-reminder")
    assert await here.told("exam-due", patient_id=child) == [("exam-due", "27 09:00")]
    if labels:
        assert (read, heard) == ({}, [])
    else:
        assert read["school-check"]["due_on"] == "2026-12-11"
        assert heard == [("dependent-reminder", "27 09:00")]


async def test_a_book_is_told_of_its_own_exams_and_from_their_day(here: Reminding) -> None:
    """After a merge rows of another person lie in a book: what was planned for that one does not stand."""
    await grandfather(here)
    await examined(here, kind="elderly", done_on="2026-03-01", valid_until=None)
    await here.until(at(2026, 11, 22))
    other = await make_citizen(here.store, here.clock, birth_date="1960-05-01", sex="male")
    one = await here._row(
        "SELECT patient_id, reminder_id FROM reminder WHERE source = 'screening:elderly-check'"
    )
    async with here.store.transaction() as tx:
        row = await queries.BY_ID.one(tx, *one)
        assert row is not None
        own, others = (
            await decide_job(tx, "reminders", one[0]),
            await decide_job(tx, "reminders", other.patient_id),
        )
        assert not await service.stands(tx, others, row, at(2027, 2, 15))
        assert await service.stands(tx, own, row, at(2027, 2, 15))
        assert not await service.stands(tx, own, row, at(2027, 2, 14)), "not before its day"


def school_check(done_on: str, until: str) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "q1",
        "questionnaire": "urn:vn:so-suc-khoe:health-check-form:831-d|1",
        "meta": {"tag": [{"system": "urn:vn:so-suc-khoe:health-check", "code": "school"}]},
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "authored": done_on,
        "item": [{"linkId": "check.valid_until", "text": "Có giá trị đến", "answer": [{"valueDate": until}]}],
    }
