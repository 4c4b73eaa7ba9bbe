"""Dispensing by the code: how far, where and when; never more than was ordered, never after its time."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ehr.quarantine import reviews, units
from identity.models import Facility
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    Machine,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    renew_session,
    sign_in_again,
)
from tests.support.prescriptions import DRUGS, national, new_code

SEND = "/v1/facility/prescriptions"
LOOK_UP, DISPENSE, TAKE_BACK = f"{SEND}/look-up", f"{SEND}/dispenses", f"{SEND}/dispenses/take-back"


@dataclass
class Place:
    """A person, the clinic that prescribes and two pharmacies."""

    citizen: Citizen
    clinic: Facility
    machine: Machine
    one: Doctor
    other: Doctor

    def code(self, kind: str = "c") -> str:
        return new_code("25366", kind)


@pytest.fixture
async def place(store: Store, clock: FrozenClock) -> Place:
    clinic = await make_facility(store, clock, "25366")
    pharmacies = [await make_facility(store, clock, name=f"Nhà thuốc {name}") for name in ("Một", "Hai")]
    return Place(
        citizen=await make_citizen(store, clock),
        clinic=clinic,
        machine=await make_machine(store, clock, clinic),
        one=await make_doctor(store, clock, pharmacies[0], role="pharmacist"),
        other=await make_doctor(store, clock, pharmacies[1], role="pharmacist"),
    )


async def send(
    client: httpx.AsyncClient, place: Place, code: str, replaces: str | None = None, **more: Any
) -> httpx.Response:
    body: dict[str, Any] = {"prescription": national(place.citizen, code, **more)}
    if replaces is not None:
        body["replaces"] = replaces
    return await client.post(SEND, json=body, headers=bearer(place.machine.token))


async def ask(client: httpx.AsyncClient, who: Doctor, path: str, **body: Any) -> httpx.Response:
    return await client.post(path, json=body, headers=bearer(who.token))


def out(*quantities: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"line": line, "quantity": quantity} for line, quantity in quantities]


async def later(store: Store, clock: FrozenClock, place: Place, days: float) -> None:
    """Move on, and sign everybody in again."""
    clock.advance(days=days)
    await sign_in_again(store, clock, place.one)
    await sign_in_again(store, clock, place.other)
    await renew_session(store, clock, place.citizen)
    place.machine = await make_machine(store, clock, place.clinic)


async def own(client: httpx.AsyncClient, place: Place) -> list[dict[str, Any]]:
    answer = await client.get("/v1/me/prescriptions", headers=bearer(place.citizen.token))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_prescription_is_dispensed_in_two_pharmacies(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    code = place.code()
    async with client_of(store, clock) as client:
        sent = await send(client, place, code)
        assert sent.status_code == 202, sent.text
        looked = await ask(client, place.one, LOOK_UP, code=code.upper())
        assert looked.status_code == 200, looked.text
        assert [line["left"] for line in looked.json()["lines"]] == ["30", "10"]
        assert place.citizen.name not in looked.text
        assert "Tăng huyết áp" not in looked.text
        first = await ask(client, place.one, DISPENSE, code=code, lines=out((1, "10"), (2, "10")))
        assert first.status_code == 201, first.text
        assert first.json()["prescription"]["state"] == "partly"
        await later(store, clock, place, days=1)
        looked = await ask(client, place.other, LOOK_UP, code=code)
        assert [(line["left"], line["state"]) for line in looked.json()["lines"]] == [
            ("20", "partly"),
            ("0", "wholly"),
        ]
        second = await ask(client, place.other, DISPENSE, code=code, lines=out((1, "20")))
        assert second.json()["prescription"]["state"] == "wholly"
        [shown] = await own(client, place)
        medicines = await client.get("/v1/me/medications", headers=bearer(place.citizen.token))
        summary = await client.get("/v1/me/summary", headers=bearer(place.citizen.token))
        log = await client.get("/v1/me/access-log", headers=bearer(place.citizen.token))
    assert shown["code"] == code
    assert shown["state"] == "wholly"
    assert [
        (h["quantity"], h["dispensed_on"], h["pharmacy"][:9]) for h in shown["lines"][0]["handed_out"]
    ] == [
        ("10", "2026-11-21", "Nhà thuốc"),
        ("20", "2026-11-22", "Nhà thuốc"),
    ]
    marks = {i["title"]: (i["dispensed"], i["last_dispensed"]) for i in medicines.json()["items"]}
    assert marks["Amlodipin 5 mg (Amlor)"] == ("wholly", "2026-11-22")
    listed = next(part for part in summary.json()["sections"] if part["key"] == "medications")["items"]
    assert {i["title"]: i["last_dispensed"] for i in listed}["Paracetamol 500 mg"] == "2026-11-21"
    assert "cấp thuốc theo đơn" in log.text
    assert place.one.actor.name in log.text
    assert "qua mã đơn thuốc" in log.text


async def test_two_pharmacies_at_once_never_dispense_more_than_was_ordered(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    code = place.code()
    async with client_of(store, clock) as client:
        await send(client, place, code)
        tries = [
            ask(client, who, DISPENSE, code=code, lines=out((1, "20")))
            for who in (place.one, place.other, place.one, place.other)
        ]
        answers = await asyncio.gather(*tries)
        [shown] = await own(client, place)
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"dispense-too-much"}
    assert (shown["lines"][0]["dispensed"], shown["lines"][0]["left"]) == ("20", "10")
    assert len(shown["lines"][0]["handed_out"]) == 1


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        (out((1, "31")), 409, "dispense-too-much"),
        (out((1, "5"), (2, "10.5")), 409, "dispense-too-much"),
        (out((3, "1")), 422, "dispense-invalid"),
        (out((1, "0")), 422, "dispense-invalid"),
        (out((1, "1"), (1, "1")), 422, "dispense-invalid"),
        (out((1, "-1")), 400, "invalid-field"),
        (out((1, "1e3")), 400, "invalid-field"),
        ([], 400, "invalid-field"),
    ],
)
async def test_a_wrong_line_or_quantity_is_refused_whole(
    store: Store, clock: FrozenClock, place: Place, lines: list[dict[str, Any]], status: int, code: str
) -> None:
    number = place.code()
    async with client_of(store, clock) as client:
        await send(client, place, number)
        answer = await ask(client, place.one, DISPENSE, code=number, lines=lines)
        [shown] = await own(client, place)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert shown["state"] == "open"


async def test_a_repeat_of_a_request_dispenses_once(store: Store, clock: FrozenClock, place: Place) -> None:
    code = place.code()
    async with client_of(store, clock) as client:
        await send(client, place, code)
        headers = bearer(place.one.token) | {"Idempotency-Key": "0123456789abcdef-1"}
        body = {"code": code, "lines": out((1, "10"))}
        told = [await client.post(DISPENSE, json=body, headers=headers) for _ in range(2)]
        [shown] = await own(client, place)
        path = "/v1/me/access-log?limit=100"
        log = await client.get(path, headers=bearer(place.citizen.token))
        # The answer that was lost is still the answer, whatever became of the prescription since.
        await send(client, place, place.code(), replaces=code)
        replaced = await client.post(DISPENSE, json=body, headers=headers)
    assert [one.status_code for one in told] == [201, 201]
    assert told[0].json()["dispense_id"] == told[1].json()["dispense_id"]
    assert shown["lines"][0]["dispensed"] == "10"
    assert log.text.count("đã cấp thuốc theo đơn") == 1
    assert (replaced.status_code, replaced.json()["dispense_id"]) == (201, told[0].json()["dispense_id"])
    assert replaced.json()["prescription"]["state"] == "replaced"


async def test_a_repeat_after_the_last_day_says_what_was_recorded(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    code = place.code()
    body = {"code": code, "lines": out((1, "10"))}
    key = {"Idempotency-Key": "0123456789abcdef-2"}
    async with client_of(store, clock) as client:
        await send(client, place, code)
        await later(store, clock, place, days=5)
        first = await client.post(DISPENSE, json=body, headers=bearer(place.one.token) | key)
        await later(store, clock, place, days=0.9)
        again = await client.post(DISPENSE, json=body, headers=bearer(place.one.token) | key)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert again.json()["dispense_id"] == first.json()["dispense_id"]


async def test_a_mistake_is_taken_back_by_the_same_pharmacy_on_the_same_day(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    code = place.code()
    async with client_of(store, clock) as client:
        await send(client, place, code)
        made = await ask(client, place.one, DISPENSE, code=code, lines=out((1, "30"), (2, "4")))
        named = {"code": code, "dispense_id": made.json()["dispense_id"]}
        assert (await ask(client, place.other, TAKE_BACK, **named)).json()["code"] == "dispense-not-found"
        for _ in range(2):
            back = await ask(client, place.one, TAKE_BACK, **named)
            assert back.status_code == 200, back.text
            assert back.json()["taken_back"]
        [shown] = await own(client, place)
        log = await client.get("/v1/me/access-log?limit=100", headers=bearer(place.citizen.token))
        medicines = await client.get("/v1/me/medications", headers=bearer(place.citizen.token))
        assert (await ask(client, place.other, DISPENSE, code=code, lines=out((1, "30")))).status_code == 201
        late = await ask(client, place.other, DISPENSE, code=code, lines=out((2, "10")))
        await later(store, clock, place, days=1)
        named["dispense_id"] = late.json()["dispense_id"]
        refused = await ask(client, place.other, TAKE_BACK, **named)
    assert shown["state"] == "open"
    assert log.text.count("đã lấy lại một lần cấp thuốc ghi nhầm") == 1
    assert all(line["handed_out"] == [] for line in shown["lines"])
    assert all("last_dispensed" not in item for item in medicines.json()["items"])
    assert (refused.status_code, refused.json()["code"]) == (409, "dispense-not-today")


async def test_after_its_last_day_nothing_is_dispensed(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    code = place.code()
    async with client_of(store, clock) as client:
        await send(client, place, code)
        await later(store, clock, place, days=5)
        assert (await ask(client, place.one, DISPENSE, code=code, lines=out((1, "10")))).status_code == 201
        await later(store, clock, place, days=1)
        looked = await ask(client, place.one, LOOK_UP, code=code)
        refused = await ask(client, place.one, DISPENSE, code=code, lines=out((1, "1")))
        [shown] = await own(client, place)
        drawn = await client.get(
            f"/v1/me/prescriptions/{shown['prescription_id']}/code", headers=bearer(place.citizen.token)
        )
    assert {one.json()["code"] for one in (looked, refused)} == {"prescription-lapsed"}
    assert "quá hạn" in refused.json()["detail"] or "quá hạn" in refused.text
    assert shown["state"] == "lapsed"
    assert shown["collect_by"] == "2026-11-26"
    assert (drawn.status_code, drawn.json()["code"]) == (409, "prescription-collected")


async def test_a_replacement_ends_the_old_one_and_leaves_what_was_dispensed_as_history(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    old, new = place.code(), place.code()
    async with client_of(store, clock) as client:
        await send(client, place, old)
        await ask(client, place.one, DISPENSE, code=old, lines=out((1, "10")))
        sent = await send(client, place, new, replaces=old.upper())
        assert sent.status_code == 202, sent.text
        refused = await ask(client, place.one, DISPENSE, code=old, lines=out((1, "1")))
        shown = {one["code"]: one for one in await own(client, place)}
        summary = await client.get("/v1/me/summary", headers=bearer(place.citizen.token))
        medicines = await client.get("/v1/me/medications", headers=bearer(place.citizen.token))
        assert (await ask(client, place.one, LOOK_UP, code=new)).status_code == 200
        again = await send(client, place, old)
    assert refused.json()["code"] == "prescription-replaced"
    assert (shown[old]["state"], shown[new]["state"]) == ("replaced", "open")
    assert shown[old]["replaced_by"] == shown[new]["prescription_id"]
    assert shown[new]["replaces"] == shown[old]["prescription_id"]
    assert shown[old]["lines"][0]["dispensed"] == "10"
    listed = next(part for part in summary.json()["sections"] if part["key"] == "medications")["items"]
    assert {item["prescription_id"] for item in listed} == {shown[new]["prescription_id"]}
    plans = next(part for part in summary.json()["sections"] if part["key"] == "care-plans")["items"]
    assert [item["title"] for item in plans] == ["Lời dặn"]
    states = {
        (item["prescription_id"], item["title"][:4]): item["status"] for item in medicines.json()["items"]
    }
    assert states[shown[old]["prescription_id"], "Amlo"] == "stopped"
    assert states[shown[old]["prescription_id"], "Para"] == "cancelled"
    assert states[shown[new]["prescription_id"], "Amlo"] == "active"
    assert again.status_code == 202, "a repeat of what was sent says the same and changes nothing"


@pytest.mark.parametrize("how", ["replaced", "withdrawn"])
async def test_a_line_that_was_let_in_after_its_prescription_ended_is_not_taken(
    store: Store, clock: FrozenClock, place: Place, how: str
) -> None:
    code = place.code()
    reviewer = await make_doctor(store, clock, await make_facility(store, clock), role="privacy-officer")
    waiting = [DRUGS[0], DRUGS[1] | {"ten_thuoc": "Tenofovir 300 mg"}]
    async with client_of(store, clock) as client:
        await send(client, place, code, thong_tin_don_thuoc=waiting)
        async with store.transaction() as tx:
            [line] = await units.list_waiting(tx, "review", place.clinic.facility_id, units.START, 10)
        if how == "replaced":
            await send(client, place, place.code(), replaces=code, thong_tin_don_thuoc=DRUGS[:1])
        else:
            done = await client.post(
                f"{SEND}/withdraw", json={"code": code}, headers=bearer(place.machine.token)
            )
            assert done.status_code == 200
        async with store.transaction() as tx:
            await reviews.release(
                tx, store.keys, reviewer.actor, line.quarantine_id, "viêm gan B", "r", clock.now()
            )
        medicines = await client.get("/v1/me/medications", headers=bearer(place.citizen.token))
    states = {item["title"]: item["status"] for item in medicines.json()["items"]}
    assert states["Tenofovir 300 mg"] == "cancelled"


async def test_a_withdrawn_prescription_is_dispensed_by_nobody(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    code = place.code()
    stranger = await make_machine(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        await send(client, place, code)
        for machine, status in ((stranger, 404), (place.machine, 200), (place.machine, 200)):
            done = await client.post(f"{SEND}/withdraw", json={"code": code}, headers=bearer(machine.token))
            assert done.status_code == status, done.text
        looked = await ask(client, place.one, LOOK_UP, code=code)
        [shown] = await own(client, place)
        summary = await client.get("/v1/me/summary", headers=bearer(place.citizen.token))
    assert looked.json()["code"] == "prescription-withdrawn"
    assert shown["state"] == "withdrawn"
    listed = next(part for part in summary.json()["sections"] if part["key"] == "medications")["items"]
    assert listed == []


async def test_s19_unknown_and_wrong_codes_are_one_refusal_and_are_counted(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    waiting = place.code()
    async with client_of(store, clock) as client:
        sent = await send(client, place, waiting, ho_ten_benh_nhan="Người Khác")
        assert sent.status_code == 202, "whoever it is for, the answer is the same"
        told = [
            await ask(client, place.one, LOOK_UP, code=code)
            for code in (place.code(), "no code at all", "25366IVLSHNF-x", waiting)
        ]
        alike = {(one.status_code, one.json()["code"], one.json().get("where")) for one in told}
        assert alike == {(404, "prescription-not-found", None)}
        good = place.code()
        await send(client, place, good)
        for _ in range(16):
            await ask(client, place.one, LOOK_UP, code=place.code())
        spent = await ask(client, place.one, LOOK_UP, code=good)
        assert (spent.status_code, spent.json()["code"]) == (429, "too-many")
        assert (await ask(client, place.other, LOOK_UP, code=good)).status_code == 200


async def test_right_codes_cost_nothing(store: Store, clock: FrozenClock, place: Place) -> None:
    code = place.code()
    async with client_of(store, clock) as client:
        await send(client, place, code)
        told = {(await ask(client, place.one, LOOK_UP, code=code)).status_code for _ in range(25)}
    assert told == {200}
