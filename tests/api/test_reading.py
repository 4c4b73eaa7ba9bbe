"""Reading over HTTP: logged before it leaves, unchanged answers, and nothing for strangers."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ehr.rebuild import rebuild_views
from identity import budgets
from kernel.access import Label
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted, revoke
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import bundle, hospital, write

SECTIONS = (
    *("summary", "timeline", "allergies", "conditions", "medications", "immunizations", "results"),
    *("vital-signs", "procedures", "encounters", "imaging-reports", "documents"),
    *("results/trend?code=2345-7", "search?q=gan"),
)


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def doctor_of(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


async def log_rows(owner: Store, person: Citizen) -> list[dict[str, Any]]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", person.patient_id
        )
    entries = [json.loads(row["entry"]) for row in rows]
    return [entry for entry in entries if entry["action"].startswith("record:")]


def problem(name: str, code: str = "E11", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": name,
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]},
        "onsetDateTime": "2026-11-01",
        **more,
    }


async def test_every_path_answers_the_person_and_the_doctor_with_a_grant(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await write(store, person.patient_id, bundle("clinosim-us-pt-0612cf63eb84"), clock.now())
    grant = await granted(store, clock, doctor, person)
    for path in SECTIONS:
        own = await client.get(f"/v1/me/{path}", headers=bearer(person.token))
        theirs = await client.get(
            f"/v1/doctor/patients/{person.patient_id}/{path}", headers=bearer(doctor.token)
        )
        assert (own.status_code, theirs.status_code) == (200, 200), (path, own.text, theirs.text)
        assert own.headers["cache-control"] == "no-store"
        assert theirs.json()["notice"]
        assert own.json()["notice"] is None
    rows = await log_rows(owner, person)
    assert len(rows) == 2 * len(SECTIONS)
    assert [row["grant"]["id"] for row in rows if row["grant"]] == [str(grant.grant_id)] * len(SECTIONS)


async def test_own_unchanged_answer_builds_nothing_and_is_not_logged(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [problem("a")], clock.now())
    first = await client.get("/v1/me/summary", headers=bearer(person.token))
    held = bearer(person.token) | {"If-None-Match": first.headers["etag"]}
    again = await client.get("/v1/me/summary", headers=held)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert len(await log_rows(owner, person)) == 1
    await write(store, person.patient_id, [problem("b", "I10")], clock.now())
    changed = await client.get("/v1/me/summary", headers=held)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_a_view_made_anew_is_a_new_answer(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [problem("a")], clock.now())
    async with store.transaction() as tx:
        for table in ("ehr_resource", "ehr_head"):
            await tx.execute(f"UPDATE {table} SET item_version = 0 WHERE patient_id = $1", person.patient_id)
    first = await client.get("/v1/me/conditions", headers=bearer(person.token))
    held = bearer(person.token) | {"If-None-Match": first.headers["etag"]}
    assert (await client.get("/v1/me/conditions", headers=held)).status_code == 304
    async with store.transaction() as tx:
        assert await rebuild_views(tx, person.patient_id) == 1
    assert (await client.get("/v1/me/conditions", headers=held)).status_code == 200


async def test_s25_a_doctors_unchanged_answer_is_one_row(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await granted(store, clock, doctor, person)
    path = f"/v1/doctor/patients/{person.patient_id}/summary"
    first = await client.get(path, headers=bearer(doctor.token))
    again = await client.get(path, headers=bearer(doctor.token) | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert [row["outcome"] for row in await log_rows(owner, person)] == ["ok", "unchanged"]


async def test_s32_hidden_items_change_neither_form_nor_value_of_the_etag(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await write(store, person.patient_id, [problem("a")], clock.now())
    await granted(store, clock, doctor, person)
    path = f"/v1/doctor/patients/{person.patient_id}/summary"
    before = await client.get(path, headers=bearer(doctor.token))
    await write(store, person.patient_id, [problem("hidden", "F20")], clock.now(), labels=int(Label.PSY))
    after = await client.get(path, headers=bearer(doctor.token))
    assert (before.content, before.headers["etag"]) == (after.content, after.headers["etag"])
    await write(store, person.patient_id, [problem("b", "I10")], clock.now())
    visible = await client.get(path, headers=bearer(doctor.token))
    assert visible.headers["etag"] != before.headers["etag"]
    assert len(visible.headers["etag"]) == len(before.headers["etag"])
    for seq in range(1, 40):
        for form in (f'W/"{person.patient_id}-{seq}"', f'W/"{person.patient_id}-{seq}-1-20261121"'):
            guess = await client.get(path, headers=bearer(doctor.token) | {"If-None-Match": form})
            assert guess.status_code == 200


async def test_s32_the_same_bytes_under_two_grants_have_two_etags(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    tags = []
    for _ in range(2):
        doctor = await doctor_of(store, clock)
        await granted(store, clock, doctor, person)
        path = f"/v1/doctor/patients/{person.patient_id}/summary"
        tags.append((await client.get(path, headers=bearer(doctor.token))).headers["etag"])
    assert tags[0] != tags[1]


async def test_s19_no_grant_and_no_such_person_are_the_same_answer(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await write(store, person.patient_id, [problem("a")], clock.now())
    known = await client.get(f"/v1/doctor/patients/{person.patient_id}/summary", headers=bearer(doctor.token))
    unknown = await client.get(f"/v1/doctor/patients/{uuid4()}/summary", headers=bearer(doctor.token))
    assert known.status_code == unknown.status_code == 403
    assert known.content == unknown.content
    assert [row["outcome"] for row in await log_rows(owner, person)] == ["refused"]


async def test_s33_refused_reads_have_a_daily_budget_and_then_leave_no_row(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, other = await make_citizen(store, clock), await make_citizen(store, clock)
    doctor, colleague = await doctor_of(store, clock), await doctor_of(store, clock)
    await granted(store, clock, doctor, other)

    async def look(patient_id: object, by: Doctor = doctor) -> httpx.Response:
        return await client.get(f"/v1/doctor/patients/{patient_id}/summary", headers=bearer(by.token))

    for _ in range(100):
        assert (await look(uuid4())).status_code == 403
    invented = uuid4()
    spent = [await look(person.patient_id), await look(invented)]
    assert [(one.status_code, one.json()["code"]) for one in spent] == [(429, "too-many")] * 2
    assert spent[0].headers["retry-after"] == spent[1].headers["retry-after"]
    assert str(person.patient_id) not in spent[0].text
    assert await log_rows(owner, person) == []
    async with owner.transaction() as tx:
        heads = "SELECT count(*) FROM audit_head WHERE patient_id = $1"
        assert await tx.fetchval(heads, invented) == 0
    assert (await look(other.patient_id)).status_code == 200
    assert (await look(person.patient_id, colleague)).status_code == 403


async def test_s33_a_granted_read_pays_no_statement_for_the_budget(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await granted(store, clock, doctor, person)
    path = f"/v1/doctor/patients/{person.patient_id}/summary"
    assert (await client.get(path, headers=bearer(doctor.token))).status_code == 200
    async with owner.transaction() as tx:
        charged = await tx.fetchval(
            "SELECT count(*) FROM attempt_budget WHERE id_hash = $1",
            budgets.subject(doctor.actor.actor_id.bytes),
        )
    assert charged == 0


async def test_a_revoked_grant_reads_nothing_more(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    grant = await granted(store, clock, doctor, person)
    path = f"/v1/doctor/patients/{person.patient_id}/summary"
    first = await client.get(path, headers=bearer(doctor.token))
    await revoke(store, clock, person, grant.grant_id)
    held = bearer(doctor.token) | {"If-None-Match": first.headers["etag"]}
    assert (await client.get(path, headers=held)).status_code == 403


async def test_audit_outage_no_byte_leaves_without_its_log_row(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [problem("a")], clock.now())
    async with owner.transaction() as tx:
        await tx.execute("REVOKE INSERT ON access_log FROM hb_api")
    try:
        broken = await client.get("/v1/me/summary", headers=bearer(person.token))
    finally:
        async with owner.transaction() as tx:
            await tx.execute("GRANT INSERT ON access_log TO hb_api")
    assert broken.status_code == 503
    assert broken.json()["code"] == "unavailable"
    assert "E11" not in broken.text


async def test_s20_two_people_in_sequence_each_get_their_own_answer(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    alice, bob = await make_citizen(store, clock), await make_citizen(store, clock)
    await write(store, alice.patient_id, [problem("a")], clock.now(), source=hospital("alice"))
    for path in SECTIONS:
        hers = await client.get(f"/v1/me/{path}", headers=bearer(alice.token))
        his = await client.get(f"/v1/me/{path}", headers=bearer(bob.token))
        assert hers.headers["etag"] != his.headers["etag"]
        assert "E11" not in his.text
        assert hers.headers["cache-control"] == his.headers["cache-control"] == "no-store"


async def test_a_cursor_of_somebody_else_is_only_a_place_in_ones_own_list(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    alice, bob = await make_citizen(store, clock), await make_citizen(store, clock)
    many = [problem(f"p{n}", onsetDateTime=f"20{n:02d}-01-01") for n in range(4)]
    await write(store, alice.patient_id, many, clock.now(), source=hospital("alice"))
    page = await client.get("/v1/me/conditions?limit=2", headers=bearer(alice.token))
    cursor = page.json()["next"]
    his = await client.get(f"/v1/me/conditions?cursor={cursor}", headers=bearer(bob.token))
    assert his.json()["items"] == []
    broken = await client.get("/v1/me/conditions?cursor=%C3%A9!", headers=bearer(bob.token))
    assert (broken.status_code, broken.json()["code"]) == (400, "bad-cursor")


async def test_s32_a_device_on_probation_learns_no_head_of_the_record(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock, probation=True)
    await write(store, person.patient_id, [problem("a")], clock.now())
    first = await client.get("/v1/me/summary", headers=bearer(person.token))
    await write(store, person.patient_id, [problem("hidden", "F20")], clock.now(), labels=int(Label.PSY))
    again = await client.get("/v1/me/summary", headers=bearer(person.token))
    assert (first.content, first.headers["etag"]) == (again.content, again.headers["etag"])
    assert str(person.patient_id) not in first.headers["etag"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=", "page=2", f"cursor={'a' * 201}"]
)
async def test_a_wrong_query_is_named_and_refused(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, query: str
) -> None:
    person = await make_citizen(store, clock)
    answer = await client.get(f"/v1/me/conditions?{query}", headers=bearer(person.token))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
