"""Dispensing by the code: how far, where and when; never more than was ordered, never after its time."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

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
from tests.support.prescriptions import national, new_code

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
