"""The routes of consent over HTTP: shapes, headers, and the same answer for known and unknown."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from consent import approval
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import (
    Citizen,
    Doctor,
    make_facility,
    make_machine,
    new_number,
)


@pytest.fixture
async def http(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(store, clock, demo=True)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def bearer(who: Any, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who.token}", **headers}


async def scan_and_ask(http: httpx.AsyncClient, doctor: Doctor, citizen: Citizen) -> dict[str, Any]:
    shown = await http.get("/v1/me/identification-qr", headers=bearer(citizen))
    assert shown.status_code == 200, shown.text
    body = {"subject": {"kind": "citizen-qr", "value": shown.json()["qr"]}}
    opened = await http.post("/v1/doctor/access-requests", json=body, headers=bearer(doctor))
    assert opened.status_code == 202, opened.text
    return opened.json()  # type: ignore[no-any-return]


def approval_body(
    store: Store, citizen: Citizen, view: dict[str, Any], clock: FrozenClock, **more: Any
) -> dict[str, Any]:
    """What an app sends, made from the JSON it was given and nothing else."""
    choice = (
        {key: view[key] for key in ("types", "since", "until", "duration_seconds")} | {"labels": []} | more
    )
    text, signature = citizen.phone.sign_step_up(
        approval.APPROVE_TYP,
        {
            "environment": view["environment"],
            "request_id": view["request_id"],
            "doctor": view["doctor"],
            "licence": view["licence"],
            "facility": view["facility"],
            "purpose": view["purpose"],
            **choice,
            "types": sorted(choice["types"]),
        },
        clock.now(),
    )
    said = json.loads(text)
    signed = {"nonce": said["nonce"], "iat": said["iat"], "exp": said["exp"], "signature": signature}
    return {**choice, "signed": signed}


async def test_the_main_path_over_http(
    http: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    opened = await scan_and_ask(http, doctor, citizen)
    scanned = await http.post(
        "/v1/me/access-requests/scan", json={"qr": opened["display"]["qr"]}, headers=bearer(citizen)
    )
    assert scanned.status_code == 200, scanned.text
    view = scanned.json()["request"]
    assert view["presence"] is True
    listed = await http.get("/v1/me/access-requests", headers=bearer(citizen))
    assert [one["request_id"] for one in listed.json()["items"]] == [opened["request_id"]]
    body = approval_body(store, citizen, view, clock, tier="A", secret=scanned.json()["nonce"])
    approved = await http.post(
        f"/v1/me/access-requests/{opened['request_id']}/approve", json=body, headers=bearer(citizen)
    )
    assert approved.status_code == 201, approved.text
    grant_id = approved.json()["grant_id"]
    state = await http.get(f"/v1/doctor/access-requests/{opened['request_id']}", headers=bearer(doctor))
    assert state.json()["state"] == "granted"
    assert state.json()["patient_id"] == str(citizen.patient_id)
    summary = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    assert (await http.get(summary, headers=bearer(doctor))).status_code == 200
    mine = await http.get("/v1/doctor/grants", headers=bearer(doctor))
    assert [one["grant_id"] for one in mine.json()["items"]] == [grant_id]
    with_proof = await http.get(f"/v1/me/grants/{grant_id}", headers=bearer(citizen))
    assert with_proof.json()["artefact"].count(".") == 2
    for _ in range(2):
        gone = await http.delete(f"/v1/me/grants/{grant_id}", headers=bearer(citizen))
        assert gone.status_code == 204, gone.text
    assert (await http.get(summary, headers=bearer(doctor))).json()["code"] == "no-access"
    assert (await http.get("/v1/doctor/grants", headers=bearer(doctor))).json()["items"] == []
    past = await http.get("/v1/me/grants", headers=bearer(citizen))
    assert past.json()["items"][0]["end_reason"] == "revoked"


async def test_numbers_out_of_every_range_are_a_bad_field(
    http: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    opened = await scan_and_ask(http, doctor, citizen)
    path = f"/v1/me/access-requests/{opened['request_id']}"
    view = (await http.get(path, headers=bearer(citizen))).json()
    body = approval_body(store, citizen, view, clock, tier="B", secret=opened["display"]["digits"])
    for field, value in (("iat", 10**20), ("exp", -1), ("nonce", "x"), ("signature", "")):
        broken = {**body, "signed": {**body["signed"], field: value}}
        answer = await http.post(f"{path}/approve", json=broken, headers=bearer(citizen))
        assert answer.json()["code"] in ("invalid-field", "malformed-body"), field
    for changes in ({"types": ["Money"]}, {"labels": ["ALL"]}, {"duration_seconds": 59}, {"extra": 1}):
        answer = await http.post(f"{path}/approve", json=body | changes, headers=bearer(citizen))
        assert answer.status_code == 400
    approved = await http.post(f"{path}/approve", json=body, headers=bearer(citizen))
    assert approved.status_code == 201, approved.text


async def test_the_grants_page_by_page(
    http: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    made = []
    for _ in range(3):
        made.append(str((await steps.granted(store, clock, doctor, citizen)).grant_id))
        clock.advance(seconds=61)
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/v1/me/grants", params=params, headers=bearer(citizen))).json()
        seen += [one["grant_id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]
    broken = await http.get("/v1/me/grants", params={"cursor": "!"}, headers=bearer(citizen))
    assert broken.json()["code"] == "bad-cursor"


async def test_refusing_is_silent_and_idempotent(
    http: httpx.AsyncClient, doctor: Doctor, citizen: Citizen
) -> None:
    opened = await scan_and_ask(http, doctor, citizen)
    path = f"/v1/me/access-requests/{opened['request_id']}/refuse"
    for _ in range(2):
        assert (await http.post(path, headers=bearer(citizen))).status_code == 204
    state = await http.get(f"/v1/doctor/access-requests/{opened['request_id']}", headers=bearer(doctor))
    assert state.json()["state"] == "waiting"
    late = await http.post(path.replace("refuse", "not-me"), headers=bearer(citizen))
    assert late.json()["code"] == "request-decided"


async def test_a_repeat_with_the_same_key_finds_the_same_request(
    http: httpx.AsyncClient, doctor: Doctor
) -> None:
    body = {"subject": {"kind": "national-id", "value": new_number()}}
    headers = bearer(doctor, **{"Idempotency-Key": "k" * 20})
    first = await http.post("/v1/doctor/access-requests", json=body, headers=headers)
    again = await http.post("/v1/doctor/access-requests", json=body, headers=headers)
    assert first.json()["request_id"] == again.json()["request_id"]
    other = {"subject": {"kind": "national-id", "value": new_number()}}
    reused = await http.post("/v1/doctor/access-requests", json=other, headers=headers)
    assert reused.status_code == 422


@pytest.mark.parametrize("key", ["short-of-16-cha", "k" * 65, "dots.are.not.letters"])
async def test_a_key_that_could_be_a_number_or_is_too_long_is_named(
    http: httpx.AsyncClient, doctor: Doctor, key: str
) -> None:
    body = {"subject": {"kind": "national-id", "value": new_number()}}
    headers = bearer(doctor, **{"Idempotency-Key": key})
    answered = await http.post("/v1/doctor/access-requests", json=body, headers=headers)
    assert (answered.status_code, answered.json()["code"]) == (400, "idempotency-key-invalid")


async def test_the_desk_learns_nothing_but_that_it_happened(
    http: httpx.AsyncClient, store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    facility = await make_facility(store, clock)
    kiosk = await make_machine(store, clock, facility, "kiosk")
    qr = (await http.get("/v1/me/identification-qr", headers=bearer(citizen))).json()["qr"]
    assert str(citizen.patient_id) not in qr
    done = await http.post("/v1/facility/check-ins", json={"qr": qr}, headers=bearer(kiosk))
    assert done.status_code == 201, done.text
    assert set(done.json()) == {"receipt_id", "recorded_at", "ticket"}
    assert done.json()["ticket"] is None, "no counter was named"
    again = await http.post("/v1/facility/check-ins", json={"qr": qr}, headers=bearer(kiosk))
    assert again.json()["receipt_id"] == done.json()["receipt_id"]
    clock.advance(seconds=61)
    late = await http.post("/v1/facility/check-ins", json={"qr": qr}, headers=bearer(kiosk))
    assert late.json()["code"] == "qr-expired"


async def test_the_picture_is_an_svg_or_a_png(
    http: httpx.AsyncClient, doctor: Doctor, citizen: Citizen
) -> None:
    opened = await scan_and_ask(http, doctor, citizen)
    path = f"/v1/doctor/access-requests/{opened['request_id']}/display"
    picture = await http.get(f"{path}.svg", headers=bearer(doctor))
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")
    picture = await http.get(f"{path}.png", headers=bearer(doctor))
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n")
    assert (await http.get(path, headers=bearer(doctor))).json()["digits"].isdigit()


async def test_s19_asking_answers_alike_for_known_and_unknown(
    http: httpx.AsyncClient, doctor: Doctor, citizen: Citizen
) -> None:
    answers = []
    for number in (citizen.number, new_number()):
        body = {"subject": {"kind": "national-id", "value": number}}
        opened = await http.post("/v1/doctor/access-requests", json=body, headers=bearer(doctor))
        path = f"/v1/doctor/access-requests/{opened.json()['request_id']}"
        steps_taken = [
            opened,
            await http.get(path, headers=bearer(doctor)),
            await http.get(f"{path}/display", headers=bearer(doctor)),
            await http.post(f"{path}/sms", headers=bearer(doctor)),
            await http.post(f"{path}/code", json={"code": "000000"}, headers=bearer(doctor)),
            await http.post(f"{path}/code", json={"code": "00000000"}, headers=bearer(doctor)),
            await http.post(f"{path}/code", json={"code": "QWERTY"}, headers=bearer(doctor)),
        ]
        answers.append(
            [
                (one.status_code, len(one.content), sorted(one.headers), shape(one.json()))
                for one in steps_taken
            ]
        )
    assert answers[0] == answers[1]


def shape(body: Any) -> Any:
    """The body with what differs between any two requests taken out."""
    if isinstance(body, dict):
        return {key: shape(value) for key, value in body.items() if key not in ("instance",)}
    return type(body).__name__ if isinstance(body, str) else body
