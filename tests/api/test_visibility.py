"""Hiding, releasing, pictures and the change feed over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.imaging.viewer import set_viewer
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, send
from tests.ehr.test_redaction import coded
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.consent import granted, revoke
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, new_number
from tests.support.record import hospital, our_id, write

STUDY = {
    "resourceType": "ImagingStudy",
    "id": "s",
    "status": "available",
    "started": "2026-11-02",
    "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.840.99.1"}],
    "modality": [{"code": "CT"}],
    "series": [{"uid": "1.2.3", "modality": {"code": "CT"}, "bodySite": {"display": "Chest"}}],
}
UID = "1.2.840.99.1"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def pair(store: Store, clock: FrozenClock, *bodies: dict[str, Any]) -> tuple[Citizen, Doctor, UUID]:
    facility = await make_facility(store, clock)
    person, doctor = await make_citizen(store, clock), await make_doctor(store, clock, facility)
    source = hospital("a", facility.facility_id)
    await write(store, person.patient_id, list(bodies), clock.now(), source=source)
    grant = await granted(store, clock, doctor, person)
    return person, doctor, grant.grant_id


async def test_hiding_from_one_doctor_and_showing_again(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    result = coded("Observation", "x", "X", "2026-11-02")
    person, doctor, grant_id = await pair(store, clock, result)
    theirs = f"/v1/doctor/patients/{person.patient_id}/results"
    own, other = bearer(person.token), bearer(doctor.token)
    before = (await client.get(theirs, headers=other)).json()
    assert len(before["items"]) == 1
    body = {"kind": "Observation", "id": our_id("a", "x"), "grant_id": str(grant_id)}
    made = await client.post("/v1/me/hidings", headers=own, json=body)
    assert made.status_code == 201, made.text
    assert made.json()["hidden_from"] == doctor.actor.name
    assert (await client.get(theirs, headers=other)).json() == before | {"items": []}
    mine = (await client.get("/v1/me/results", headers=own)).json()["items"]
    assert [item["hidden"] for item in mine] == [True]
    listed = (await client.get("/v1/me/hidings", headers=own)).json()["items"]
    assert [one["hiding"]["id"] for one in listed] == [our_id("a", "x")]
    gone = await client.delete(f"/v1/me/hidings/{made.json()['hiding_id']}", headers=own)
    assert gone.status_code == 204
    assert (await client.get(theirs, headers=other)).json() == before
    acts = (await client.get("/v1/me/access-log", headers=own)).text
    assert "ẩn một mục trong sổ" in acts


async def test_s32_etags_have_one_form_with_and_without_something_hidden(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor, _ = await pair(store, clock, coded("Observation", "x", "X", "2026-11-02"))
    path = f"/v1/doctor/patients/{person.patient_id}/summary"
    first = await client.get(path, headers=bearer(doctor.token))
    body = {"kind": "Observation", "id": our_id("a", "x")}
    await client.post("/v1/me/hidings", headers=bearer(person.token), json=body)
    second = await client.get(path, headers=bearer(doctor.token))
    assert first.headers["etag"] != second.headers["etag"]
    assert len(first.headers["etag"]) == len(second.headers["etag"])
    assert set(first.headers) == set(second.headers)


async def test_what_is_not_in_the_book_cannot_be_hidden(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    body = {"kind": "Observation", "id": "nothing"}
    answer = await client.post("/v1/me/hidings", headers=bearer(person.token), json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-in-book")


async def test_the_feed_over_http_and_its_expired_cursor(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, _, _ = await pair(store, clock, coded("Observation", "x", "X", "2026-11-02"))
    first = await client.get("/v1/me/changes", headers=bearer(person.token))
    assert (first.status_code, len(first.json()["items"])) == (200, 1)
    since = {"since": first.json()["cursor"]}
    again = (await client.get("/v1/me/changes", headers=bearer(person.token), params=since)).json()
    assert (again["items"], again["removed"], again["has_more"]) == ([], [], False)
    bad = await client.get("/v1/me/changes", headers=bearer(person.token), params={"since": "abc"})
    assert (bad.status_code, bad.json()["code"]) == (400, "bad-cursor")


async def pictures(
    store: Store, clock: FrozenClock, template: str | None = "https://pacs.example.vn/v?study={study_uid}"
) -> tuple[Citizen, Doctor, UUID]:
    person, doctor, grant_id = await pair(store, clock, STUDY)
    if template is not None:
        assert doctor.actor.facility_id is not None
        async with store.transaction() as tx:
            await set_viewer(tx, doctor.actor.facility_id, template, clock.now())
    return person, doctor, grant_id


async def ticket(client: httpx.AsyncClient, person: Citizen, doctor: Doctor | None = None) -> httpx.Response:
    study = our_id("a", "s")
    base = f"/v1/doctor/patients/{person.patient_id}" if doctor else "/v1/me"
    token = doctor.token if doctor else person.token
    return await client.post(f"{base}/imaging-studies/{study}/viewer-tickets", headers=bearer(token))


async def test_imaging_names_modality_and_site(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, _, _ = await pictures(store, clock)
    (item,) = (await client.get("/v1/me/imaging-reports", headers=bearer(person.token))).json()["items"]
    assert (item["modality"], item["modality_vi"]) == ("CT", "Chụp cắt lớp vi tính (CT)")
    assert (item["body_sites"], item["has_viewer"]) == (["Ngực"], True)


async def test_s13_a_ticket_leads_to_the_viewer_once(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor, _ = await pictures(store, clock)
    for who in (None, doctor):
        made = await ticket(client, person, who)
        assert made.status_code == 201, made.text
        first = await client.get(made.json()["path"])
        assert (first.status_code, first.headers["location"]) == (
            303,
            f"https://pacs.example.vn/v?study={UID}",
        )
        assert first.headers["cache-control"] == "no-store"
        second = await client.get(made.json()["path"])
        assert (second.status_code, second.json()["code"]) == (410, "viewer-ticket-ended")
    log = (await client.get("/v1/me/access-log", headers=bearer(person.token))).text
    assert "mở ảnh ở máy chủ của cơ sở" in log


async def test_s13_a_ticket_ends_with_time_grant_and_sight(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor, grant_id = await pictures(store, clock)
    old = (await ticket(client, person, doctor)).json()["path"]
    clock.advance(seconds=61)
    assert (await client.get(old)).status_code == 410
    hidden = (await ticket(client, person, doctor)).json()["path"]
    body = {"kind": "ImagingStudy", "id": our_id("a", "s")}
    made = await client.post("/v1/me/hidings", headers=bearer(person.token), json=body)
    assert (await client.get(hidden)).status_code == 410
    assert (await ticket(client, person, doctor)).status_code == 404
    await client.delete(f"/v1/me/hidings/{made.json()['hiding_id']}", headers=bearer(person.token))
    revoked = (await ticket(client, person, doctor)).json()["path"]
    assert await revoke(store, clock, person, grant_id) is None
    assert (await client.get(revoked)).status_code == 410
    assert (await ticket(client, person, doctor)).status_code == 403


async def test_s34_the_secret_of_a_ticket_rests_nowhere(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person, _, _ = await pictures(store, clock)
    path = (await ticket(client, person)).json()["path"]
    await client.get(path)
    secret = path.rsplit("/", 1)[1]
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT * FROM ehr_viewer_ticket WHERE patient_id = $1", person.patient_id)
    printed = capsys.readouterr()
    assert rows
    assert secret not in str(rows) + printed.out + printed.err


@pytest.mark.parametrize(
    "address",
    [
        "http://pacs.example.vn/{study_uid}",
        "https://{study_uid}.example.vn/",
        "https://a@pacs.example.vn/{study_uid}",
        "https://pacs.example.vn/",
        "https://pacs.example.vn/{study_uid}\r\nX: y",
        "javascript:alert(1)//{study_uid}",
    ],
)
async def test_s29_only_an_https_address_with_a_place_becomes_a_viewer(
    store: Store, clock: FrozenClock, address: str
) -> None:
    facility = await make_facility(store, clock)
    with pytest.raises(ValueError, match="https"):
        async with store.transaction() as tx:
            await set_viewer(tx, facility.facility_id, address, clock.now())


async def test_s29_a_study_number_that_is_none_leads_nowhere(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    person = await make_citizen(store, clock)
    bad = STUDY | {"identifier": [{"system": "urn:dicom:uid", "value": "1.2/../../evil?x=1"}]}
    await write(store, person.patient_id, [bad], clock.now(), source=hospital("a", facility.facility_id))
    async with store.transaction() as tx:
        await set_viewer(tx, facility.facility_id, "https://pacs.example.vn/{study_uid}", clock.now())
    assert (await ticket(client, person)).status_code == 404


async def test_a_facility_sets_its_own_rules_and_releases_its_own_results(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    admin = await make_doctor(store, clock, facility, role="facility-admin")
    path = "/v1/facility/release-policies"
    body = {"rule": "after-hours", "hours": 12}
    made = await client.put(f"{path}/laboratory", headers=bearer(admin.token), json=body)
    assert made.json() == {"category": "laboratory", "rule": "after-hours", "hours": 12, "is_own": True}
    listed = (await client.get(path, headers=bearer(admin.token))).json()["items"]
    assert listed == [made.json()]


async def test_s19_a_review_answers_alike_whoever_has_the_number(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    """A number that is somebody's sends the file to the quarantine, an unknown one makes a person; a third
    unit was never sent."""
    facility = await make_facility(store, clock, code="01028")
    admin = await make_doctor(store, clock, facility, role="facility-admin")
    doctor = await make_doctor(store, clock, facility)
    for category in ("laboratory", "other-results"):
        await client.put(
            f"/v1/facility/release-policies/{category}",
            headers=bearer(admin.token),
            json={"rule": "after-review", "hours": 0},
        )
    known = await make_citizen(store, clock)
    guessed = [replace(known, name="Tên Bịa Đặt"), replace(known, number=new_number(), name="Tên Bịa Đặt")]
    statuses = []
    for number, person in enumerate(guessed):
        data = rewrite_package(sample_package(OUTPATIENT), person, MA_LK=f"LK{number}")
        statuses += [one.status for one in await send(store, clock, facility, data, "his")]
    assert statuses == ["quarantined", "imported"]
    answers = [
        await client.post(
            "/v1/facility/reviews", headers=bearer(doctor.token), json={"unit": f"episode:LK{number}"}
        )
        for number in range(3)
    ]
    assert [one.status_code for one in answers] == [202, 202, 202]
    assert [one.json() for one in answers] == [{"unit": f"episode:LK{number}"} for number in range(3)]
    async with owner.transaction() as tx:
        released = "SELECT count(*) FROM ehr_resource WHERE facility_id = $1 AND release_at IS NOT NULL"
        assert await tx.fetchval(released, facility.facility_id) == 0
        noted = "SELECT count(*) FROM access_log WHERE entry LIKE '%record:result:release%'"
        assert await tx.fetchval(noted) == 1
