"""Written questions: who sees and does what, until when, and what is told to whom."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.cases.terms import deadlines
from ehr.cases.workdays import TERMS
from healthbook.dispatch import dispatch, tick
from healthbook.upload_jobs import upload_jobs
from identity import budgets
from identity.models import Facility
from kernel.ids import bucket_of
from store.database import Store
from store.models import Due
from store.outbox import claim_events
from store.uploads import JOB as FILES
from tests.api.test_cases import picture
from tests.support.clock import FrozenClock
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again
from tests.support.registry import make_officers, merged
from visits.consultations.policy import GIVEN_UP_AFTER, JOB, WAITING_MAX
from visits.consultations.retention import housekeeping

TEXT = "Con tôi ho hai tuần nay, có cần đi khám không?"
ANSWER = "Nên đưa cháu đến trạm trong tuần này."


class Setting:
    """A person, a facility and two of its doctors."""

    person: Citizen
    facility: Facility
    doctor: Doctor
    other: Doctor

    @property
    def own(self) -> dict[str, str]:
        return bearer(self.person.token)

    def staff(self, doctor: Doctor | None = None) -> dict[str, str]:
        return bearer((doctor or self.doctor).token)

    def question(self, **more: Any) -> dict[str, Any]:
        return {"facility_id": str(self.facility.facility_id), "text": TEXT} | more


@pytest.fixture
async def here(store: Store, clock: FrozenClock) -> Setting:
    made = Setting()
    made.facility = await make_facility(store, clock)
    made.person = await make_citizen(store, clock)
    made.doctor, made.other = [await make_doctor(store, clock, made.facility) for _ in range(2)]
    return made


async def ask(client: httpx.AsyncClient, here: Setting, **more: Any) -> str:
    made = await client.post("/v1/me/consultations", json=here.question(**more), headers=here.own)
    assert made.status_code == 201, made.text
    ident: str = made.json()["consultation_id"]
    return ident


async def staff_does(
    client: httpx.AsyncClient, here: Setting, ident: str, act: str, doctor: Doctor | None = None
) -> httpx.Response:
    body = {"text": ANSWER} if act == "answer" else None
    path = f"/v1/facility/consultations/{ident}/{act}"
    return await client.post(path, json=body, headers=here.staff(doctor))


async def waiting(client: httpx.AsyncClient, here: Setting, doctor: Doctor | None = None) -> list[str]:
    found = await client.get("/v1/facility/consultations", headers=here.staff(doctor))
    assert found.status_code == 200
    return [one["consultation_id"] for one in found.json()["items"]]


async def notices(store: Store, clock: FrozenClock, patient_id: UUID) -> list[str]:
    """What a person was told, once everything that was emitted has been said."""
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(patient_id), clock.now(), 500):
            await dispatch(tx, store.keys, event, clock.now())
        rows = await tx.fetch("SELECT type FROM notification WHERE patient_id = $1", patient_id)
    return [row["type"] for row in rows]


async def run_timer(store: Store, clock: FrozenClock, here: Setting, ident: str) -> Any:
    ref = f"{here.person.patient_id}:{ident}"
    due = Due(bucket_of(here.person.patient_id), clock.now(), JOB, ref)
    async with store.transaction() as tx:
        return await tick(tx, store.keys, due, clock.now())


async def test_asked_accepted_answered_closed_and_the_emergency_sentence_stands_first(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        ident = await ask(client, here)
        listed = await client.get("/v1/facility/consultations", headers=here.staff())
        assert TEXT not in listed.text
        assert here.person.name not in listed.text
        opened = await client.get(f"/v1/facility/consultations/{ident}", headers=here.staff())
        assert (opened.json()["text"], opened.json()["person_name"]) == (TEXT, here.person.name)
        early = await staff_does(client, here, ident, "answer")
        assert (early.status_code, early.json()["code"]) == (409, "consultation-state")
        accepted = await staff_does(client, here, ident, "accept")
        assert accepted.json()["state"] == "accepted"
        answered = await staff_does(client, here, ident, "answer")
        assert answered.json()["state"] == "answered"
        mine = await client.get(f"/v1/me/consultations/{ident}", headers=here.own)
        assert (mine.json()["state"], mine.json()["answer"]) == ("answered", ANSWER)
        closed = await client.post(f"/v1/me/consultations/{ident}/close", headers=here.own)
        own_list = await client.get("/v1/me/consultations", headers=here.own)
        for shown in (listed, opened, accepted, answered, mine, closed, own_list):
            first = next(iter(shown.json().items()))
            assert first[0] == "emergency_vi"
            assert "115" in first[1]
        assert closed.json()["state"] == "closed"
        gone = await client.get(f"/v1/facility/consultations/{ident}", headers=here.staff())
        assert gone.json()["code"] == "consultation-unknown"
    told = await notices(store, clock, here.person.patient_id)
    assert told.count("consultation-update") == 2, "accepted and answered, each once"


async def test_every_opening_by_staff_stands_in_the_persons_log_by_name(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        ident = await ask(client, here)
        added = await client.post(
            f"/v1/me/consultations/{ident}/pictures",
            content=picture(),
            headers=here.own | {"content-type": "image/jpeg"},
        )
        assert added.status_code == 201
        path = f"/v1/facility/consultations/{ident}"
        await client.get(path, headers=here.staff())
        shown = await client.get(f"{path}/pictures/{added.json()['picture_id']}", headers=here.staff())
        assert shown.status_code == 200
        assert b"secret-exif-words" not in shown.content
        assert shown.headers["content-disposition"].startswith("attachment")
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry, actor_name FROM access_log WHERE patient_id = $1", here.person.patient_id
        )
    acts = [json.loads(row["entry"])["action"] for row in rows if row["actor_name"] == here.doctor.actor.name]
    assert {"consultation:question:read", "consultation:picture:read"} <= set(acts)


async def test_a_question_to_a_doctor_by_name_is_that_doctors_and_an_accepted_one_is_its_takers(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    stranger = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        named = await ask(client, here, practitioner_id=str(here.doctor.practitioner_id))
        shared = await ask(client, here)
        assert set(await waiting(client, here)) == {named, shared}
        assert await waiting(client, here, here.other) == [shared]
        assert await waiting(client, here, stranger) == []
        for doctor, ident in ((here.other, named), (stranger, named), (stranger, shared)):
            assert (await staff_does(client, here, ident, "accept", doctor)).status_code == 404
        assert (await staff_does(client, here, shared, "accept", here.other)).status_code == 200
        for act in ("accept", "answer", "decline"):
            assert (await staff_does(client, here, shared, act)).status_code == 404, act
        elsewhere = here.question(practitioner_id=str(stranger.practitioner_id))
        refused = await client.post("/v1/me/consultations", json=elsewhere, headers=here.own)
        assert refused.json()["code"] == "consultation-target-unknown"


async def test_declined_and_withdrawn_questions_are_over(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        one, two = await ask(client, here), await ask(client, here)
        assert (await staff_does(client, here, one, "decline")).json()["state"] == "declined"
        taken = await client.post(f"/v1/me/consultations/{two}/withdraw", headers=here.own)
        assert taken.json()["state"] == "withdrawn"
        assert await waiting(client, here) == []
        for ident in (one, two):
            again = await client.post(f"/v1/me/consultations/{ident}/withdraw", headers=here.own)
            assert again.json()["code"] == "consultation-state"
            assert await run_timer(store, clock, here, ident) is None


async def test_a_late_question_is_marked_and_told_once_and_ends_long_after(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        ident = await ask(client, here)
        async with store.transaction() as tx:
            _, answer_by = await deadlines(tx, "consultation", clock.now())
        assert TERMS["consultation"].days == 3
        assert await run_timer(store, clock, here, ident) == answer_by, "not before"
        clock.advance(seconds=(answer_by - clock.now()).total_seconds() + 1)
        assert await run_timer(store, clock, here, ident) == answer_by + GIVEN_UP_AFTER
        assert await run_timer(store, clock, here, ident) == answer_by + GIVEN_UP_AFTER
        told = await notices(store, clock, here.person.patient_id)
        assert told.count("consultation-update") == 1
        await sign_in_again(store, clock, here.doctor)
        found = await client.get("/v1/facility/consultations", headers=here.staff())
        assert [one["overdue"] for one in found.json()["items"]] == [True]
        clock.advance(seconds=(GIVEN_UP_AFTER + timedelta(seconds=1)).total_seconds())
        assert await run_timer(store, clock, here, ident) is None
        async with store.transaction() as tx:
            sql = "SELECT state FROM consultation WHERE consultation_id = $1"
            assert await tx.fetchval(sql, UUID(ident)) == "expired"


async def test_a_share_code_reaches_who_accepted_alone_and_only_while_it_lives(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        ident = await ask(client, here)
        path, code = f"/v1/me/consultations/{ident}/share-code", {"code": "ABCD-2345"}
        early = await client.post(path, json=code, headers=here.own)
        assert early.json()["code"] == "consultation-state", "nobody has accepted it"
        await staff_does(client, here, ident, "accept")
        assert "ABCD" not in (await client.post(path, json=code, headers=here.own)).text
        opened = f"/v1/facility/consultations/{ident}"
        assert (await client.get(opened, headers=here.staff())).json()["share_code"] == "ABCD-2345"
        assert (await client.get(opened, headers=here.staff(here.other))).status_code == 404
        clock.advance(minutes=10)
        assert (await client.get(opened, headers=here.staff())).json()["share_code"] is None
        await staff_does(client, here, ident, "answer")
    async with store.transaction() as tx:
        sql = "SELECT share_code FROM consultation WHERE consultation_id = $1"
        assert await tx.fetchval(sql, UUID(ident)) is None
        rows = await tx.fetch("SELECT t::text AS line FROM consultation t")
        assert not [row for row in rows if TEXT in row["line"] or ANSWER in row["line"]]


async def test_accepting_a_question_opens_nothing_of_the_record(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        ident = await ask(client, here)
        await staff_does(client, here, ident, "accept")
        for part in ("summary", "documents", "medications"):
            read = await client.get(
                f"/v1/doctor/patients/{here.person.patient_id}/{part}", headers=here.staff()
            )
            assert (read.status_code, read.json()["code"]) == (403, "no-access")


async def test_s23_a_guardian_sees_what_the_guardian_asked_and_nothing_the_child_asks(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    child = await make_child(store, clock, here.person)
    for_child = here.own | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        made = await client.post("/v1/me/consultations", json=here.question(), headers=for_child)
        assert made.status_code == 201
        ident = made.json()["consultation_id"]
        listed = await client.get("/v1/me/consultations", headers=for_child)
        assert [one["consultation_id"] for one in listed.json()["items"]] == [ident]
        # The child asked by itself.
        async with store.transaction() as tx:
            await tx.execute("UPDATE consultation SET asked_by = $1 WHERE consultation_id = $2", child, ident)
        assert (await client.get("/v1/me/consultations", headers=for_child)).json()["items"] == []
        for path in (f"/v1/me/consultations/{ident}", f"/v1/me/consultations/{ident}/pictures/{ident}"):
            assert (await client.get(path, headers=for_child)).status_code == 404
        await staff_does(client, here, ident, "accept")
    assert "consultation-update" not in await notices(store, clock, here.person.patient_id)


async def test_s23_a_proxy_neither_asks_nor_sees(store: Store, clock: FrozenClock, here: Setting) -> None:
    proxy = await make_citizen(store, clock)
    await make_proxy(store, clock, here.person, proxy, "read-record", "add-to-record", "consent")
    for_person = bearer(proxy.token) | {"X-Patient-Id": str(here.person.patient_id)}
    async with client_of(store, clock) as client:
        await ask(client, here)
        for answer in (
            await client.get("/v1/me/consultations", headers=for_person),
            await client.post("/v1/me/consultations", json=here.question(), headers=for_person),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "not-in-your-care")


async def test_the_gate_stands_before_questions_and_answers(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    told = "Tôi đang uống ARV, HIV dương tính"
    counted = "SELECT coalesce(sum(withheld), 0) FROM ehr_gate_count"
    async with store.transaction() as tx:
        before = await tx.fetchval(counted)
    async with client_of(store, clock) as client:
        refused = await client.post("/v1/me/consultations", json=here.question(text=told), headers=here.own)
        assert (refused.status_code, refused.json()["code"]) == (422, "consultation-withheld")
        ident = await ask(client, here)
        await staff_does(client, here, ident, "accept")
        path = f"/v1/facility/consultations/{ident}/answer"
        assert (await client.post(path, json={"text": told})).status_code == 401, (
            "nobody asks the gate unknown"
        )
        answered = await client.post(path, json={"text": told}, headers=here.staff())
        assert answered.json()["code"] == "consultation-withheld"
        assert "ARV" not in refused.text + answered.text
    async with store.transaction() as tx:
        assert await tx.fetchval(counted) == before + 2


async def test_questions_and_pictures_are_bounded(store: Store, clock: FrozenClock, here: Setting) -> None:
    async with client_of(store, clock) as client:
        idents = [await ask(client, here) for _ in range(WAITING_MAX)]
        over = await client.post("/v1/me/consultations", json=here.question(), headers=here.own)
        assert over.json()["code"] == "consultations-too-many"
        long = await client.post(
            "/v1/me/consultations", json=here.question(text="a" * 4001), headers=here.own
        )
        assert long.status_code == 400
        jpeg = here.own | {"content-type": "image/jpeg"}
        path = f"/v1/me/consultations/{idents[0]}/pictures"
        ids = set()
        for size in (10, 20, 30, 40, 40, 50):
            added = await client.post(path, content=picture(size=(size, size)), headers=jpeg)
            assert added.status_code == 201
            ids.add(added.json()["picture_id"])
        assert len(ids) == 5, "the same picture again is the same picture"
        full = await client.post(path, content=picture(size=(60, 60)), headers=jpeg)
        assert full.json()["code"] == "consultation-pictures-too-many"
        wrong = await client.post(path, content=picture(), headers=here.own | {"content-type": "text/html"})
        assert wrong.status_code == 415
    assert await store.blobs.erase(here.person.patient_id) == 5
    assert budgets.CONSULTATIONS_DAY.limit > WAITING_MAX


async def test_a_repeat_with_one_key_is_one_question(store: Store, clock: FrozenClock, here: Setting) -> None:
    keyed = here.own | {"Idempotency-Key": "k" * 20}
    async with client_of(store, clock) as client:
        made = [
            (await client.post("/v1/me/consultations", json=here.question(), headers=keyed)).json()
            for _ in range(2)
        ]
        assert made[0]["consultation_id"] == made[1]["consultation_id"]
        assert len(await waiting(client, here)) == 1


async def test_s23_a_full_list_counts_the_askers_own_questions_alone(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    child = await make_child(store, clock, here.person)
    for_child = here.own | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        for _ in range(WAITING_MAX):
            made = await client.post("/v1/me/consultations", json=here.question(), headers=for_child)
            assert made.status_code == 201
        async with store.transaction() as tx:
            await tx.execute("UPDATE consultation SET asked_by = $1 WHERE patient_id = $1", child)
        own = await client.post("/v1/me/consultations", json=here.question(), headers=for_child)
        assert own.status_code == 201, own.text


async def test_s10_after_a_merge_news_log_and_name_are_the_survivors(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    survivor, officers = await make_citizen(store, clock), await make_officers(store, clock)
    async with client_of(store, clock) as client:
        ident = await ask(client, here)
        await merged(store, officers, here.person.patient_id, survivor.patient_id, clock.now())
        async with store.transaction() as tx:
            now = clock.now()
            await tx.execute("UPDATE person_origin SET proven_at = visible_at, visible_at = $1", now)
        opened = await client.get(f"/v1/facility/consultations/{ident}", headers=here.staff())
        assert opened.json()["person_name"] == survivor.name
        await staff_does(client, here, ident, "accept")
    assert "consultation-update" in await notices(store, clock, survivor.patient_id)
    assert "consultation-update" not in await notices(store, clock, here.person.patient_id)
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1", survivor.patient_id)
    acts = {json.loads(row["entry"])["action"] for row in rows}
    assert {"consultation:question:read", "consultation:question:accept"} <= acts


async def test_what_ended_goes_after_its_time_at_both_ends_with_its_pictures(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        over, answered, waits = [await ask(client, here) for _ in range(3)]
        jpeg = here.own | {"content-type": "image/jpeg"}
        for ident in (over, waits):
            path = f"/v1/me/consultations/{ident}/pictures"
            assert (await client.post(path, content=picture(), headers=jpeg)).status_code == 201
        await client.post(f"/v1/me/consultations/{over}/withdraw", headers=here.own)
        await staff_does(client, here, answered, "accept")
        await staff_does(client, here, answered, "answer")
    person = here.person.patient_id

    async def kept(table: str) -> set[str]:
        async with store.transaction() as tx:
            rows = await tx.fetch(f"SELECT consultation_id FROM {table} WHERE patient_id = $1", person)
        return {str(row[0]) for row in rows}

    async with store.transaction() as tx:
        await housekeeping(tx, clock.now(), 100)
    assert await kept("consultation") == {over, answered, waits}, "not before its time"
    clock.advance(seconds=1)
    async with store.transaction() as tx:
        assert await housekeeping(tx, clock.now(), 100) >= 2
    for table in ("consultation", "facility_consultation", "consultation_picture"):
        assert await kept(table) == {waits}, table
    clock.advance(hours=2)
    async with store.transaction() as tx:
        timers = await tx.fetch(
            "SELECT ref FROM due_queue WHERE kind = $1 AND ref LIKE $2", FILES, f"{person}%"
        )
    for timer in timers:
        await upload_jobs(store, clock)[FILES](Due(bucket_of(person), clock.now(), FILES, timer["ref"]))
    assert await store.blobs.erase(person) == 1, "that of the question that waits"


async def test_questions_put_at_once_are_bounded_too(store: Store, clock: FrozenClock, here: Setting) -> None:
    async with client_of(store, clock) as client:
        answers = await asyncio.gather(
            *(
                client.post("/v1/me/consultations", json=here.question(), headers=here.own)
                for _ in range(WAITING_MAX + 3)
            )
        )
    assert sorted(one.status_code for one in answers) == [201] * WAITING_MAX + [409] * 3


async def test_s23_news_goes_to_the_person_once_the_guardian_who_asked_may_no_longer(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    child = await make_child(store, clock, here.person, "2011-11-23")
    for_child = here.own | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        made = await client.post("/v1/me/consultations", json=here.question(), headers=for_child)
        ident = made.json()["consultation_id"]
        clock.advance(days=2.6)
        await sign_in_again(store, clock, here.doctor)
        assert (await staff_does(client, here, ident, "accept")).status_code == 200
    assert "consultation-update" not in await notices(store, clock, here.person.patient_id)
    assert "consultation-update" in await notices(store, clock, child)
