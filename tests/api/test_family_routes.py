"""The routes of the family over HTTP: proxies, labels, disputes, the child's word, flags and the desk."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from consent.queries import ASSENT_OF
from family.proxies import INVITE_TYP, RENEW_TYP
from identity.births import service as births
from kernel.access import Access, Label
from kernel.clock import local_day
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import asked, granted
from tests.support.family import make_child, make_proxy, may, sign
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import our_id, write
from visits.arrivals import record_arrival

TICK_TYP = "guardian-labels"
NOBODY = "01985e2c-7a00-7abc-8def-0123456789ab"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def signed(clock: FrozenClock, who: Citizen, typ: str, facts: dict[str, Any]) -> dict[str, Any]:
    here = facts | {"environment": "production"}
    return facts | {"signed": msgspec.to_builtins(await sign(who, typ, here, clock.now()))}


def told(answer: httpx.Response) -> int | str:
    """The code of a refusal, or the status."""
    return str(answer.json()["code"]) if answer.status_code >= 400 else answer.status_code


async def test_an_invitation_is_signed_for_its_scopes_and_its_last_day(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    father, daughter = await make_citizen(store, clock), await make_citizen(store, clock)
    path, today = "/v1/me/proxies/invitations", local_day(clock.now())
    facts = {"scopes": ["read-record", "vitals"], "until": (today + timedelta(days=30)).isoformat()}
    body = await signed(clock, father, INVITE_TYP, facts)
    wider = body | {"scopes": ["consent", "read-record"]}
    far = await signed(
        clock, father, INVITE_TYP, facts | {"until": (today + timedelta(days=366)).isoformat()}
    )
    assert told(await client.post(path, json=wider, headers=bearer(father.token))) == "step-up-refused"
    assert told(await client.post(path, json=far, headers=bearer(father.token))) == "proxy-invalid"
    made = await client.post(path, json=body, headers=bearer(father.token))
    assert made.status_code == 201
    assert made.json()["scopes"] == facts["scopes"]
    assert told(await client.post(path, json=body, headers=bearer(father.token))) == "step-up-refused"

    code = {"code": made.json()["code"]}
    accepted = await client.post("/v1/me/proxies/accept", json=code, headers=bearer(daughter.token))
    assert (accepted.status_code, accepted.json()["patient_id"]) == (201, str(father.patient_id))
    again = await client.post("/v1/me/proxies/accept", json=code, headers=bearer(daughter.token))
    assert told(again) == "proxy-code-refused"


async def test_a_proxy_is_renewed_by_who_gave_it_alone(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    father, daughter = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, father, daughter, "vitals")
    until = (local_day(clock.now()) + timedelta(days=364)).isoformat()
    found = {}
    for who, other in ((father, daughter), (daughter, father)):
        # What is signed names the proxy; the path names it too.
        facts = {"proxy_id": str(other.patient_id), "until": until}
        body = {"until": until, "signed": (await signed(clock, who, RENEW_TYP, facts))["signed"]}
        path = f"/v1/me/proxies/{other.patient_id}/renew"
        found[who.patient_id] = told(await client.post(path, json=body, headers=bearer(who.token)))
    assert found == {father.patient_id: 204, daughter.patient_id: "family-link-unknown"}
    listed = (await client.get("/v1/me/family", headers=bearer(father.token))).json()["items"]
    assert [one["until"][:4] for one in listed] == ["2027"]


@pytest.mark.parametrize(
    ("birth_date", "expected"), [("2010-01-01", 204), ("2016-01-01", "not-in-your-care")]
)
async def test_labels_are_ticked_between_fifteen_and_eighteen_by_a_signed_act(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, birth_date: str, expected: int | str
) -> None:
    youth = await make_citizen(store, clock, birth_date=birth_date)
    mother = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await births.link(tx, youth.patient_id, mother.patient_id, None, clock.now())
    path = f"/v1/me/family/{mother.patient_id}/labels"
    facts = {"guardian_id": str(mother.patient_id), "labels": ["SEX", "STD"]}
    act = (await signed(clock, youth, TICK_TYP, facts))["signed"]
    headers = bearer(youth.token)
    more = {"labels": ["HIV", "SEX", "STD"], "signed": act}
    assert told(await client.put(path, json=more, headers=headers)) == "step-up-refused"
    violence = {"labels": ["SDV"], "signed": act}
    assert told(await client.put(path, json=violence, headers=headers)) == "invalid-field"
    assert told(await client.put(path, json={"labels": ["SEX", "STD"], "signed": act}, headers=headers)) == (
        expected
    )
    seen = await may(store, clock, mother, youth.patient_id, "read-section")
    assert isinstance(seen, Access)
    if expected == 204:
        assert ~seen.withheld_labels & (Label.SEX | Label.STD | Label.HIV) == Label.SEX | Label.STD


async def test_a_disputed_link_writes_nothing_until_who_disputed_it_takes_that_back(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_citizen(store, clock, birth_date="2014-01-01")
    async with store.transaction() as tx:
        await births.link(tx, child.patient_id, mother.patient_id, None, clock.now())
    of_child, of_mother = (f"/v1/me/family/{one.patient_id}/dispute" for one in (mother, child))
    assert told(await client.post(of_child, headers=bearer(child.token))) == 204
    assert await may(store, clock, mother, child.patient_id, "answer-request") == "not-in-your-care"
    assert isinstance(await may(store, clock, mother, child.patient_id, "read-summary"), Access)
    token = bearer(mother.token)
    assert told(await client.delete(of_mother, headers=token)) == "family-link-unknown"
    assert told(await client.delete(of_child, headers=bearer(child.token))) == 204
    assert isinstance(await may(store, clock, mother, child.patient_id, "answer-request"), Access)
    strange = f"/v1/me/family/{NOBODY}/dispute"
    assert told(await client.post(strange, headers=bearer(child.token))) == "family-link-unknown"


@pytest.mark.parametrize("method", ["own-device", "doctor-attested"])
async def test_the_childs_word_is_given_on_its_device_or_told_by_who_asks(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, method: str
) -> None:
    child = await make_citizen(store, clock, birth_date="2016-01-01")
    mother, facility = await make_citizen(store, clock), await make_facility(store, clock)
    async with store.transaction() as tx:
        await births.link(tx, child.patient_id, mother.patient_id, None, clock.now())
    doctor, other = [await make_doctor(store, clock, facility) for _ in range(2)]
    request_id = (await asked(store, clock, doctor, child)).request_id
    side, who = ("me", child) if method == "own-device" else ("doctor", doctor)
    stranger = await make_citizen(store, clock) if side == "me" else other
    path = f"/v1/{side}/access-requests/{request_id}/assent"
    assert told(await client.post(path, headers=bearer(stranger.token))) == "request-unknown"
    assert told(await client.post(path, headers=bearer(who.token))) == 204
    async with store.transaction() as tx:
        assert await ASSENT_OF.one(tx, child.patient_id, request_id) == method


async def test_s23_a_clinician_keeps_an_entry_from_the_family_and_nobody_of_it_is_told(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    father = await make_citizen(store, clock)
    daughter = await make_citizen(store, clock)
    await make_proxy(store, clock, father, daughter, "read-record")
    await write(store, father.patient_id, [finding("o1", "Zzbimat")], clock.now())
    facility = await make_facility(store, clock)
    doctor, stranger = [await make_doctor(store, clock, facility) for _ in range(2)]
    await granted(store, clock, doctor, father)
    path = f"/v1/doctor/patients/{father.patient_id}/safety-flags"
    body = {"kind": "Observation", "id": our_id("a", "o1")}
    book = bearer(daughter.token) | {"X-Patient-Id": str(father.patient_id)}
    assert "Zzbimat" in (await client.get("/v1/me/results", headers=book)).text
    sql = "SELECT count(*) FROM notification WHERE patient_id = $1"
    async with owner.transaction() as tx:
        before = await tx.fetchval(sql, daughter.patient_id)
    assert told(await client.post(path, json=body, headers=bearer(stranger.token))) == "no-access"
    assert told(await client.post(path, json=body, headers=bearer(doctor.token))) == 204
    assert "Zzbimat" not in (await client.get("/v1/me/results", headers=book)).text
    assert "Zzbimat" in (await client.get("/v1/me/results", headers=bearer(father.token))).text
    async with owner.transaction() as tx:
        assert await tx.fetchval(sql, daughter.patient_id) == before


async def test_s8_a_guardianship_takes_two_accounts_of_one_facility_and_both_people_there(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    facility, elsewhere = await make_facility(store, clock), await make_facility(store, clock)
    first, second = [await make_doctor(store, clock, facility, role="clerk") for _ in range(2)]
    foreign = await make_doctor(store, clock, elsewhere, role="clerk")
    child = await make_citizen(store, clock, birth_date="2018-01-01")
    mother = await make_citizen(store, clock)
    pair = {"child_number": child.number, "guardian_number": mother.number, "papers_seen": True}
    path = "/v1/facility/guardianships"

    async def propose(**changes: Any) -> httpx.Response:
        return await client.post(path, json=pair | changes, headers=bearer(first.token))

    assert told(await propose()) == "guardianship-refused"
    async with store.transaction() as tx:
        for one in (child, mother):
            await record_arrival(tx, store.keys, first.actor, one.number, request_id=NOBODY, now=clock.now())
    assert told(await propose(papers_seen=False)) == "card-not-seen"
    assert told(await propose(child_number=mother.number)) == "guardianship-refused"
    assert told(await propose(kind="bar", proof="court-document")) == "guardianship-refused"
    confirm = f"{path}/{UUID((await propose()).json()['proposal_id'])}/confirm"
    for clerk in (first, foreign):
        refused = await client.post(confirm, json={"papers_seen": True}, headers=bearer(clerk.token))
        assert told(refused) == "second-account-needed"
    assert await may(store, clock, mother, child.patient_id) == "not-your-book"
    done = await client.post(confirm, json={"papers_seen": True}, headers=bearer(second.token))
    assert done.status_code == 204
    assert isinstance(await may(store, clock, mother, child.patient_id), Access)


async def test_a_relative_s_list_names_both_sides_and_ends_with_one_request(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2018-01-01")
    items = (await client.get("/v1/me/family", headers=bearer(mother.token))).json()["items"]
    assert [(one["person_id"], one["acts"], one["band"]) for one in items] == [
        (str(child), "for-them", "schoolchild")
    ]
    path = f"/v1/me/family/{child}"
    assert told(await client.delete(path, headers=bearer(mother.token))) == 204
    assert told(await client.delete(path, headers=bearer(mother.token))) == "family-link-unknown"
    assert (await client.get("/v1/me/family", headers=bearer(mother.token))).json()["items"] == []


def finding(ident: str, title: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": title},
        "effectiveDateTime": "2026-10-01T08:30:00+07:00",
        "valueQuantity": {"value": 4.1, "unit": "mmol/L"},
    }
