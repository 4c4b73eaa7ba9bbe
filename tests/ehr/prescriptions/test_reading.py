"""Who reads a prescription: its person, who acts for the person, a doctor with a grant; what is withheld does
not exist, for the pharmacist who has its code either."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.prescriptions.service import lines_for_plan
from ehr.visibility import hidings
from healthbook.dispatch import dispatch
from identity.births import service as births
from kernel.ids import bucket_of
from kernel.problems import Refused
from qr import draw
from store.database import Store
from store.outbox import claim_events
from tests.qr.test_draw import decoded, pixels_of_png, pixels_of_svg
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    Machine,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    make_person,
)
from tests.support.prescriptions import DRUGS, national, new_code
from tests.support.record import own
from tests.support.registry import make_officers, merged

SEND, OWN = "/v1/facility/prescriptions", "/v1/me/prescriptions"
PSYCHIATRIC = [{"ma_chan_doan": "F32.1", "ten_chan_doan": "Giai đoạn trầm cảm vừa"}]
VIOLENCE = [{"ma_chan_doan": "T74.1", "ten_chan_doan": "Bị bạo hành"}]


@pytest.fixture
async def machine(store: Store, clock: FrozenClock) -> Machine:
    return await make_machine(store, clock, await make_facility(store, clock, "25366"))


@pytest.fixture
async def pharmacist(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), role="pharmacist")


async def send(client: httpx.AsyncClient, machine: Machine, citizen: Citizen, **more: Any) -> str:
    code = more.pop("code", None) or new_code("25366")
    sent = await client.post(SEND, json=national(citizen, code, **more), headers=bearer(machine.token))
    assert sent.status_code == 202, sent.text
    return code


async def listed(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_code_is_drawn_and_nothing_else(
    store: Store, clock: FrozenClock, machine: Machine, pharmacist: Doctor
) -> None:
    citizen, stranger = await make_citizen(store, clock), await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        code = await send(client, machine, citizen)
        [shown] = await listed(client, OWN, bearer(citizen.token))
        place = f"{OWN}/{shown['prescription_id']}/code"
        png = await client.get(f"{place}?form=png", headers=bearer(citizen.token))
        svg = await client.get(place, headers=bearer(citizen.token))
        assert (await client.get(place, headers=bearer(stranger.token))).status_code == 404
        lines = [{"line": 1, "quantity": "30"}, {"line": 2, "quantity": "10"}]
        body = {"code": code, "lines": lines}
        done = await client.post(f"{SEND}/dispenses", json=body, headers=bearer(pharmacist.token))
        assert done.status_code == 201
        after = await client.get(place, headers=bearer(citizen.token))
    assert decoded(pixels_of_png(png.content))[0] == code
    assert decoded(pixels_of_svg(svg.text))[0] == code
    assert svg.text == draw.svg(code)
    assert (png.headers["content-type"], svg.headers["content-type"]) == ("image/png", "image/svg+xml")
    assert re.search("Amlodipin|Trần", svg.text) is None
    assert (after.status_code, after.json()["code"]) == (409, "prescription-collected")


async def test_a_doctor_reads_how_far_it_was_dispensed_under_a_grant_and_never_the_code(
    store: Store, clock: FrozenClock, machine: Machine, pharmacist: Doctor
) -> None:
    citizen, place = await make_citizen(store, clock), await make_facility(store, clock)
    doctor = await make_doctor(store, clock, place)
    path = f"/v1/doctor/patients/{citizen.patient_id}/prescriptions"
    async with client_of(store, clock) as client:
        code = await send(client, machine, citizen)
        assert (await client.get(path, headers=bearer(doctor.token))).status_code == 403
        await granted(store, clock, doctor, citizen)
        body = {"code": code, "lines": [{"line": 1, "quantity": "10"}]}
        await client.post(f"{SEND}/dispenses", json=body, headers=bearer(pharmacist.token))
        answer = await client.get(path, headers=bearer(doctor.token))
        [shown] = answer.json()["items"]
        one = await client.get(f"{path}/{shown['prescription_id']}", headers=bearer(doctor.token))
        other = await make_doctor(store, clock, place)
        await granted(store, clock, other, citizen, types=frozenset({"Condition"}))
        blind = await client.get(path, headers=bearer(other.token))
        hidden = await client.get(f"{path}/{shown['prescription_id']}", headers=bearer(other.token))
    assert shown["state"] == "partly"
    assert shown["lines"][0]["handed_out"][0]["quantity"] == "10"
    assert one.json()["lines"] == shown["lines"]
    assert code not in answer.text.lower()
    assert (blind.json()["items"], hidden.status_code) == ([], 404)


async def test_a_guardian_and_a_proxy_who_reads_the_record_see_it_and_others_do_not(
    store: Store, clock: FrozenClock, machine: Machine
) -> None:
    mother, father, daughter = [await make_citizen(store, clock) for _ in range(3)]
    child, number = await make_person(store, clock, name="Trần Bé Thử", birth_date="2024-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    await make_proxy(store, clock, father, daughter, "read-record")
    of_child = {
        "ho_ten_benh_nhan": "Trần Bé Thử",
        "ma_dinh_danh_cong_dan": number,
        "ngay_sinh_benh_nhan": "2024-03-12",
        "thong_tin_nguoi_giam_ho": "mẹ",
    }
    async with client_of(store, clock) as client:
        codes = {
            child: await send(client, machine, mother, **of_child),
            father.patient_id: await send(client, machine, father),
        }
        for who, whose in ((mother, child), (daughter, father.patient_id)):
            acting = bearer(who.token) | {"X-Patient-Id": str(whose)}
            [shown] = await listed(client, OWN, acting)
            assert shown["code"] == codes[whose]
            drawn = await client.get(f"{OWN}/{shown['prescription_id']}/code", headers=acting)
            assert drawn.status_code == 200
        stranger = bearer(mother.token) | {"X-Patient-Id": str(father.patient_id)}
        assert (await client.get(OWN, headers=stranger)).json()["code"] == "not-your-book"


async def test_s23_what_is_sensitive_does_not_exist_for_a_proxy(
    store: Store, clock: FrozenClock, machine: Machine
) -> None:
    father, daughter = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, father, daughter, "read-record")
    acting = bearer(daughter.token) | {"X-Patient-Id": str(father.patient_id)}
    async with client_of(store, clock) as client:
        await send(client, machine, father)
        before = await client.get(OWN, headers=acting)
        for diagnosis in (PSYCHIATRIC, VIOLENCE):
            await send(client, machine, father, chan_doan=diagnosis, ngay_gio_ke_don="2026-11-21 08:20:00")
        after = await client.get(OWN, headers=acting)
        mine = await listed(client, OWN, bearer(father.token))
        secret = [one for one in mine if one["issued_at"].endswith("01:20:00Z")]
        for one in secret:
            for path in (f"{OWN}/{one['prescription_id']}", f"{OWN}/{one['prescription_id']}/code"):
                assert (await client.get(path, headers=acting)).status_code == 404
    assert len(secret) == 2
    assert (before.json(), before.headers["etag"]) == (after.json(), after.headers["etag"])


async def test_s23_neither_log_nor_inbox_tells_a_guardian_of_one_that_is_withheld(
    store: Store, clock: FrozenClock, owner: Store, machine: Machine, pharmacist: Doctor
) -> None:
    """Sent, opened, dispensed, asked about, taken back, replaced: the guardian's answers do not change."""
    mother = await make_citizen(store, clock)
    child = await make_citizen(store, clock, birth_date="2013-05-01")
    async with store.transaction() as tx:
        await births.link(tx, child.patient_id, mother.patient_id, None, clock.now())
    acting = bearer(mother.token) | {"X-Patient-Id": str(child.patient_id)}
    paths = [OWN, "/v1/me/reminders", "/v1/me/medicine-safety", "/v1/me/medications"]

    async def seen(client: httpx.AsyncClient) -> list[Any]:
        told = [(await client.get(path, headers=acting)).json() for path in paths]
        inbox = (await client.get("/v1/me/notifications", headers=bearer(mother.token))).json()
        log = (await client.get("/v1/me/access-log", headers=acting)).json()["items"]
        return [*told, inbox, [one["line"] for one in log if one["actor_name"] != mother.name]]

    await work(store, clock, child)  # the phone the child enrolled is told to the mother: no prescription yet
    async with client_of(store, clock) as client:
        before = await seen(client)
        of_child = {"thong_tin_nguoi_giam_ho": "mẹ", "chan_doan": VIOLENCE}
        drugs = [DRUGS[0] | {"cach_dung": "Uống sau ăn"}]
        code = await send(client, machine, child, thong_tin_don_thuoc=drugs, **of_child)
        body = {"code": code, "lines": [{"line": 1, "quantity": "5"}]}
        staff = bearer(pharmacist.token)
        assert (await client.post(f"{SEND}/look-up", json={"code": code}, headers=staff)).status_code == 200
        done = await client.post(f"{SEND}/dispenses", json=body, headers=staff)
        await work(store, clock, child)
        assert [one["type"] for one in await listed(client, "/v1/me/notifications", bearer(child.token))]
        named = {"code": code, "dispense_id": done.json()["dispense_id"]}
        assert (
            await client.post(f"{SEND}/dispenses/take-back", json=named, headers=staff)
        ).status_code == 200
        new = {"prescription": national(child, new_code("25366"), **of_child), "replaces": code}
        assert (await client.post(SEND, json=new, headers=bearer(machine.token))).status_code == 202
        assert (await client.post(f"{SEND}/look-up", json={"code": code}, headers=staff)).status_code == 409
        await work(store, clock, child)
        assert len(await listed(client, OWN, bearer(child.token))) == 2
        assert await seen(client) == before


async def work(store: Store, clock: FrozenClock, citizen: Citizen) -> None:
    """What a worker makes of what was written of this person."""
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(citizen.patient_id), clock.now()):
            if event.patient_id == citizen.patient_id:
                await dispatch(tx, store.keys, event, clock.now())


async def hide(store: Store, clock: FrozenClock, citizen: Citizen, ident: str) -> None:
    """A medicine hidden from everybody: no route offers it by itself, it goes with what it belongs to."""
    async with store.transaction() as tx:
        access = own(citizen.patient_id)
        kind: Any = "MedicationRequest"
        hidden = await hidings.hide(tx, access, kind, ident, reader=None, reader_name=None, now=clock.now())
    assert not isinstance(hidden, Refused)


async def test_what_is_hidden_from_everybody_is_closed_to_doctor_and_pharmacist(
    store: Store, clock: FrozenClock, machine: Machine, pharmacist: Doctor
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, citizen)
    look_up = f"{SEND}/look-up"
    path = f"/v1/doctor/patients/{citizen.patient_id}/prescriptions"
    async with client_of(store, clock) as client:
        code = await send(client, machine, citizen)
        [shown] = await listed(client, OWN, bearer(citizen.token))
        await hide(store, clock, citizen, shown["lines"][0]["medication_id"])
        at_counter = await client.post(look_up, json={"code": code}, headers=bearer(pharmacist.token))
        [seen] = await listed(client, path, bearer(doctor.token))
        body = {"code": code, "lines": [{"line": 1, "quantity": "1"}]}
        out = await client.post(f"{SEND}/dispenses", json=body, headers=bearer(pharmacist.token))
        await hide(store, clock, citizen, shown["lines"][1]["medication_id"])
        closed = await client.post(look_up, json={"code": code}, headers=bearer(pharmacist.token))
        assert await listed(client, path, bearer(doctor.token)) == []
        [mine] = await listed(client, OWN, bearer(citizen.token))
    assert [line["line"] for line in at_counter.json()["lines"]] == [2]
    assert [line["line"] for line in seen["lines"]] == [2]
    assert (out.status_code, out.json()["code"]) == (422, "dispense-invalid")
    assert (closed.status_code, closed.json()["code"]) == (404, "prescription-not-found")
    assert len(mine["lines"]) == 2


async def test_s10_after_a_merge_the_code_opens_the_lines_where_they_lie_now(
    store: Store, clock: FrozenClock, machine: Machine, pharmacist: Doctor
) -> None:
    gone, stays = await make_citizen(store, clock), await make_citizen(store, clock)
    officers = await make_officers(store, clock)
    async with client_of(store, clock) as client:
        code = await send(client, machine, gone)
        await merged(store, officers, gone.patient_id, stays.patient_id, clock.now())
        body = {"code": code, "lines": [{"line": 1, "quantity": "10"}]}
        done = await client.post(f"{SEND}/dispenses", json=body, headers=bearer(pharmacist.token))
        assert done.status_code == 201, done.text
        new = {"prescription": national(gone, new_code("25366")), "replaces": code}
        sent = await client.post(SEND, json=new, headers=bearer(machine.token))
        assert sent.status_code == 202, sent.text
        looked = await client.post(f"{SEND}/look-up", json={"code": code}, headers=bearer(pharmacist.token))
    assert looked.json()["code"] == "prescription-replaced"


async def test_a_page_goes_on_where_the_last_one_ended(
    store: Store, clock: FrozenClock, machine: Machine
) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        codes = [
            await send(client, machine, citizen, ngay_gio_ke_don=f"2026-11-{10 + n // 2} 08:00:00")
            for n in range(5)
        ]
        found, cursor = [], ""
        while cursor is not None:
            page = (await client.get(f"{OWN}?limit=2{cursor}", headers=bearer(citizen.token))).json()
            found += [one["code"] for one in page["items"]]
            cursor = None if page["next"] is None else f"&cursor={page['next']}"
    assert sorted(found) == sorted(codes)
    assert len(found) == 5


async def test_a_plan_is_made_of_what_was_dispensed(
    store: Store, clock: FrozenClock, machine: Machine, pharmacist: Doctor
) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        code = await send(client, machine, citizen, thong_tin_don_thuoc=DRUGS)
        body = {"code": code, "lines": [{"line": 2, "quantity": "4"}]}
        await client.post(f"{SEND}/dispenses", json=body, headers=bearer(pharmacist.token))
        [shown] = await listed(client, OWN, bearer(citizen.token))
    ident = UUID(shown["prescription_id"])
    async with store.transaction() as tx:
        lines = await lines_for_plan(tx, own(citizen.patient_id), ident, clock.now())
        strange = await lines_for_plan(tx, own(UUID(int=5)), ident, clock.now())
    assert [(one.dispensed, one.dispensed_on is None) for one in lines] == [
        (Decimal(0), True),
        (Decimal(4), False),
    ]
    assert lines[1].dosage.times == 2
    assert all(one.is_standing and str(one.collect_by) == "2026-11-26" for one in lines)
    assert strange == []
