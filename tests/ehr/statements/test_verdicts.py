"""A doctor's word on what was declared: beside it, never over it, and told to the person."""

from typing import Any

import httpx
import pytest

from audit.service import record_act
from healthbook.dispatch import dispatch
from kernel.access import Label
from kernel.ids import bucket_of
from store.database import Store
from store.outbox import claim_events, emit
from tests.ehr.own_documents.test_own_documents import added, picture
from tests.ehr.statements.test_statements import PENICILLIN, PLACE, said, say
from tests.support.clock import FrozenClock
from tests.support.consent import granted, revoke
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility


async def met(store: Store, clock: FrozenClock, **grant: Any) -> tuple[Citizen, Doctor]:
    """A person and a doctor with a grant."""
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock, name="Trạm y tế Hoa Sen"))
    await granted(store, clock, doctor, citizen, **grant)
    return citizen, doctor


async def judge(
    client: httpx.AsyncClient,
    doctor: Doctor,
    citizen: Citizen,
    ident: str,
    outcome: str,
    version: int = 1,
    **more: Any,
) -> httpx.Response:
    path = f"/v1/doctor/patients/{citizen.patient_id}/statements/{ident}/verdict"
    body = {"outcome": outcome, "version": version} | more
    return await client.put(path, json=body, headers=bearer(doctor.token))


async def summary_of(client: httpx.AsyncClient, doctor: Doctor, citizen: Citizen) -> dict[str, Any]:
    path = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    found: dict[str, Any] = (await client.get(path, headers=bearer(doctor.token))).json()
    return found


def allergies(summary: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(
        part["items"] for part in summary["sections"] if part["key"] == "allergies"
    )
    return found


async def test_a_confirmed_statement_says_by_whom_and_stays_as_it_was_said(
    store: Store, clock: FrozenClock
) -> None:
    citizen, doctor = await met(store, clock)
    sql = "SELECT version, doc, content_sha256 FROM ehr_resource WHERE patient_id = $1 AND id = $2"
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        async with store.transaction() as tx:
            before = await tx.fetchrow(sql, citizen.patient_id, ident)
        (declared,) = allergies(await summary_of(client, doctor, citizen))
        assert (declared["id"], declared["self_declared"]) == (ident, True)
        assert "verdict" not in declared
        done = await judge(client, doctor, citizen, ident, "confirmed", note="Đã hỏi bệnh sử")
        assert done.status_code == 200, done.text
        (confirmed,) = allergies(await summary_of(client, doctor, citizen))
        (own,) = await said(client, citizen)
        page = await client.get(f"/v1/doctor/patients/{citizen.patient_id}/ips", headers=bearer(doctor.token))
        log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
    verdict = confirmed["verdict"]
    assert (verdict["outcome"], verdict["doctor"], verdict["note"]) == (
        "confirmed",
        doctor.actor.name,
        "Đã hỏi bệnh sử",
    )
    assert verdict["facility_name"] == "Trạm y tế Hoa Sen"
    assert own["item"]["verdict"] == verdict
    assert (own["version"], own["item"]["self_declared"]) == (1, True)
    assert "bác sĩ xác nhận ngày" in page.text
    assert "xác nhận một mục tự khai" in log.text
    async with store.transaction() as tx:
        assert await tx.fetchrow(sql, citizen.patient_id, ident) == before


async def test_a_refuted_statement_leaves_what_doctors_act_on_and_stays_in_the_book_marked(
    store: Store, clock: FrozenClock
) -> None:
    citizen, doctor = await met(store, clock)
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        await judge(client, doctor, citizen, ident, "refuted", note="Test da âm tính")
        assert allergies(await summary_of(client, doctor, citizen)) == []
        ips = await client.get(f"/v1/doctor/patients/{citizen.patient_id}/ips", headers=bearer(doctor.token))
        assert "Penicillin" not in ips.text
        path = f"/v1/doctor/patients/{citizen.patient_id}/statements"
        listed = (await client.get(path, headers=bearer(doctor.token))).json()["items"]
        assert [one["item"]["verdict"]["outcome"] for one in listed] == ["refuted"]
        own = (await client.get("/v1/me/summary", headers=bearer(citizen.token))).json()
        (marked,) = allergies(own)
        assert (marked["title"], marked["verdict"]["outcome"]) == ("Penicillin", "refuted")
        # The facility's second word stands in the place of its first.
        await judge(client, doctor, citizen, ident, "confirmed")
        (again,) = allergies(await summary_of(client, doctor, citizen))
        assert again["verdict"]["outcome"] == "confirmed"


async def test_a_word_counts_for_the_version_that_was_read(store: Store, clock: FrozenClock) -> None:
    citizen, doctor = await met(store, clock)
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        await judge(client, doctor, citizen, ident, "refuted")
        changed = PENICILLIN | {"reaction": "Sốc phản vệ"}
        await client.put(f"{PLACE}/{ident}", json=changed, headers=bearer(citizen.token))
        (anew,) = allergies(await summary_of(client, doctor, citizen))
        assert "verdict" not in anew
        late = await judge(client, doctor, citizen, ident, "confirmed", version=1)
        assert (late.status_code, late.json()["code"]) == (409, "statement-changed")
        assert (await judge(client, doctor, citizen, ident, "confirmed", version=2)).status_code == 200


async def test_a_declared_blood_group_never_counts_as_verified(store: Store, clock: FrozenClock) -> None:
    citizen, doctor = await met(store, clock, types=frozenset({"Observation.other"}))
    async with client_of(store, clock) as client:
        made = await say(client, citizen, {"kind": "blood-group", "value": "AB-"})
        ident = made.json()["statement_id"]
        refused = await judge(client, doctor, citizen, ident, "confirmed")
        assert (refused.status_code, refused.json()["code"]) == (409, "blood-group-by-test")
        (group,) = (await summary_of(client, doctor, citizen))["person"]["blood_groups"]
        assert (group["value"], group["self_declared"]) == ("AB-", True)
        await judge(client, doctor, citizen, ident, "refuted")
        assert (await summary_of(client, doctor, citizen))["person"]["blood_groups"] == []


@pytest.mark.parametrize("reached", ["Condition", "AllergyIntolerance"])
async def test_a_word_needs_a_live_grant_that_reaches_the_statement(
    store: Store, clock: FrozenClock, reached: str
) -> None:
    citizen, doctor = await met(store, clock, types=frozenset({reached}))
    stranger = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        done = await judge(client, doctor, citizen, ident, "confirmed")
        assert done.status_code == (200 if reached == "AllergyIntolerance" else 404), done.text
        refused = await judge(client, stranger, citizen, ident, "refuted")
        assert (refused.status_code, refused.json()["code"]) == (403, "no-access")


async def test_a_word_ends_with_the_grant_and_no_word_of_a_pharmacist_counts(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    pharmacist = await make_doctor(store, clock, facility, role="pharmacist")
    grant = await granted(store, clock, doctor, citizen)
    await granted(store, clock, pharmacist, citizen, types=frozenset({"AllergyIntolerance"}))
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        assert (await judge(client, pharmacist, citizen, ident, "confirmed")).status_code == 403
        await revoke(store, clock, citizen, grant.grant_id)
        assert (await judge(client, doctor, citizen, ident, "confirmed")).status_code == 403
        assert "verdict" not in (await said(client, citizen))[0]["item"]


async def test_the_person_is_told_without_a_word_of_it(store: Store, clock: FrozenClock) -> None:
    citizen, doctor = await met(store, clock)
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        await judge(client, doctor, citizen, ident, "confirmed")
        async with store.transaction() as tx:
            for event in await claim_events(tx, bucket_of(citizen.patient_id), clock.now()):
                if event.patient_id == citizen.patient_id:
                    await dispatch(tx, store.keys, event, clock.now())
        inbox = await client.get("/v1/me/notifications", headers=bearer(citizen.token))
    (told,) = [one for one in inbox.json()["items"] if one["type"] == "statement-judged"]
    assert told["ref"] == {"statement_id": ident}
    assert "Penicillin" not in inbox.text
    assert doctor.actor.name not in str(told)


async def test_s23_guardians_hear_of_a_verdict_only_where_they_see_what_was_judged(
    store: Store, clock: FrozenClock, owner: Store
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    acting = bearer(mother.token) | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        kept = []
        for name in ("Penicillin", "Cefalexin"):
            made = await client.post(PLACE, json=PENICILLIN | {"name": name}, headers=acting)
            kept.append(made.json()["statement_id"])
        async with owner.transaction() as tx:
            await tx.execute("UPDATE ehr_resource SET labels = $2 WHERE id = $1", kept[1], int(Label.SDV))
        for ident, told in ((kept[1], 0), (kept[0], 1)):
            async with store.transaction() as tx:
                act = "record:statement:confirm"
                what = [("AllergyIntolerance", ident)]
                await record_act(
                    tx, child, doctor.actor, act, resources=what, request_id="r", now=clock.now()
                )
                await emit(tx, child, "ehr.statement-judged", {"statement_id": ident}, clock.now())
            async with store.transaction() as tx:
                for event in await claim_events(tx, bucket_of(child), clock.now()):
                    if event.event == "ehr.statement-judged":
                        await dispatch(tx, store.keys, event, clock.now())
            inbox = (await client.get("/v1/me/notifications", headers=bearer(mother.token))).json()["items"]
            assert len([one for one in inbox if one["type"] == "dependent-news"]) == told
        log = (await client.get("/v1/me/access-log", headers=acting)).text
        assert "mục tự khai" not in log


async def test_s23_a_relative_reads_the_outcome_and_the_day_of_a_verdict_alone(
    store: Store, clock: FrozenClock
) -> None:
    """Who treats the person, and what was noted there, is not the relative's to learn."""
    mother, person = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, person, mother, "read-record", "add-to-record")
    doctor = await make_doctor(store, clock, await make_facility(store, clock, name="Bệnh viện Tâm thần X"))
    acting = bearer(mother.token) | {"X-Patient-Id": str(person.patient_id)}
    async with client_of(store, clock) as client:
        ident = (await client.post(PLACE, json=PENICILLIN, headers=acting)).json()["statement_id"]
        await granted(store, clock, doctor, person)
        done = await judge(client, doctor, person, ident, "confirmed", note="Cháu khai bị đánh ở nhà")
        assert done.status_code == 200, done.text
        (one,) = (await client.get(PLACE, headers=acting)).json()["items"]
        pages = [PLACE, "/v1/me/summary", "/v1/me/timeline", "/v1/me/allergies"]
        told = [await client.get(path, headers=acting) for path in pages]
        (own,) = await said(client, person)
    assert one["item"]["verdict"] == {
        "outcome": "confirmed",
        "date": own["item"]["verdict"]["date"][:10],
    }
    assert own["item"]["verdict"]["note"] == "Cháu khai bị đánh ở nhà"
    for page in told:
        assert page.status_code == 200, page.text
        for word in ("Tâm thần", "bị đánh", doctor.actor.name):
            assert word not in page.text


async def test_a_declared_paper_is_confirmed_or_refuted_as_a_statement_is(
    store: Store, clock: FrozenClock
) -> None:
    citizen, doctor = await met(store, clock, types=frozenset({"DocumentReference"}))
    unread, other = await met(store, clock, types=frozenset({"Condition"}))
    base = f"/v1/doctor/patients/{citizen.patient_id}"
    async with client_of(store, clock) as client:
        ident, foreign = [await added(client, bearer(who.token), picture()) for who in (citizen, unread)]
        (shown,) = (await client.get(f"{base}/statements", headers=bearer(doctor.token))).json()["items"]
        assert (shown["kind"], shown["statement_id"], shown["version"]) == ("paper", ident, 1)
        done = await judge(client, doctor, citizen, ident, "confirmed", note="Đã xem bản giấy")
        assert done.status_code == 200, done.text
        assert (await judge(client, other, unread, foreign, "confirmed")).status_code == 404
        for headers, path in ((bearer(doctor.token), base), (bearer(citizen.token), "/v1/me")):
            (paper,) = (await client.get(f"{path}/documents", headers=headers)).json()["items"]
            assert (paper["id"], paper["verdict"]["outcome"]) == (ident, "confirmed")
        words = {"kind": "result", "title": "Phiếu xét nghiệm"}
        changed = await client.put(f"/v1/me/documents/{ident}", json=words, headers=bearer(citizen.token))
        assert changed.status_code == 200, changed.text
        (anew,) = await said(client, citizen)
        assert (anew["version"], "verdict" in anew["item"], anew["may_change"]) == (2, False, True)
        assert (await judge(client, doctor, citizen, ident, "refuted", version=2)).status_code == 200
        (refuted,) = await said(client, citizen)
        assert refuted["item"]["verdict"]["outcome"] == "refuted"
        # As a statement it is none: it is taken back where it was added.
        gone = await client.post(f"{PLACE}/{ident}/withdraw", headers=bearer(citizen.token))
        assert (gone.status_code, gone.json()["code"]) == (404, "statement-not-found")
