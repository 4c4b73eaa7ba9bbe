"""An e-prescription as a facility sends it: by file, by its record route and by its own."""

import json
from typing import Any

import httpx
import pytest

from store.database import Store
from tests.ehr.intake.records import rows, send
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Machine, make_citizen, make_facility, make_machine
from tests.support.prescriptions import DRUGS, national, new_code

SEND = "/v1/facility/prescriptions"


async def post(client: httpx.AsyncClient, machine: Machine, body: Any) -> httpx.Response:
    return await client.post(SEND, json=body, headers=bearer(machine.token))


async def listed(client: httpx.AsyncClient, citizen: Citizen) -> list[dict[str, Any]]:
    answer = await client.get("/v1/me/prescriptions", headers=bearer(citizen.token))
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_file_with_a_prescription_becomes_lines_of_the_book(store: Store, clock: FrozenClock) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, "25366")
    body = national(citizen, new_code("25366"))
    [report] = await send(store, clock, facility, json.dumps(body).encode())
    assert report.status == "imported", report.reasons
    kept = await rows(store, citizen.patient_id)
    assert sorted(row[0] for row in kept) == [
        "Appointment",
        "CarePlan",
        "Condition",
        "MedicationRequest",
        "MedicationRequest",
        "Patient",
    ]
    assert not any(body["ma_don_thuoc"] in row[7] for row in kept), "the code stands beside the record"


async def test_a_file_may_hold_many_and_each_is_refused_by_itself(store: Store, clock: FrozenClock) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, "25366")
    first, second = new_code("25366"), new_code("25366")
    many = [
        {"prescription": national(citizen, first)},
        national(citizen, "25366ABC-c"),
        {"prescription": national(citizen, second), "replaces": first},
    ]
    reports = await send(store, clock, facility, json.dumps(many).encode())
    assert [one.status for one in reports] == ["imported", "rejected", "imported"]
    assert [(r.code, r.where) for r in reports[1].reasons] == [("bad-code", "ma_don_thuoc")]
    async with client_of(store, clock) as client:
        states = {one["code"]: one["state"] for one in await listed(client, citizen)}
    assert states == {first: "replaced", second: "open"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ma_don_thuoc": None}, "missing-field ma_don_thuoc"),
        ({"ma_don_thuoc": "25366ivlshn-c"}, "bad-code ma_don_thuoc"),
        ({"loai_don_thuoc": "h"}, "bad-code loai_don_thuoc"),
        ({"ho_ten_benh_nhan": " "}, "missing-field ho_ten_benh_nhan"),
        ({"ma_dinh_danh_cong_dan": "12345"}, "bad-identifier ma_dinh_danh_cong_dan"),
        ({"ma_so_the_bao_hiem_y_te": "XX"}, "bad-identifier ma_so_the_bao_hiem_y_te"),
        ({"ngay_sinh_benh_nhan": "31/02/1985"}, "bad-date ngay_sinh_benh_nhan"),
        ({"gioi_tinh": 1}, "bad-code gioi_tinh"),
        ({"can_nang": "nặng"}, "bad-number can_nang"),
        ({"ngay_gio_ke_don": "20/11/26"}, "bad-date ngay_gio_ke_don"),
        ({"ngay_gio_ke_don": "2027-11-20 08:00:00"}, "future-date ngay_gio_ke_don"),
        ({"ngay_tai_kham": "2026-11-01"}, "bad-date ngay_tai_kham"),
        ({"chan_doan": [{"ma_chan_doan": ""}]}, "missing-field chan_doan[0].ten_chan_doan"),
        ({"thong_tin_don_thuoc": []}, "missing-field thong_tin_don_thuoc"),
        (
            {"thong_tin_don_thuoc": [DRUGS[0] | {"so_luong": "-1"}]},
            "bad-number thong_tin_don_thuoc[0].so_luong",
        ),
        ({"thong_tin_don_thuoc": [DRUGS[0] | {"so_luong": 0}]}, "bad-number thong_tin_don_thuoc[0].so_luong"),
        (
            {"thong_tin_don_thuoc": [DRUGS[0] | {"so_luong": "NaN"}]},
            "bad-number thong_tin_don_thuoc[0].so_luong",
        ),
        *(
            (
                {"thong_tin_don_thuoc": [DRUGS[0] | {"so_luong": number}]},
                "bad-number thong_tin_don_thuoc[0].so_luong",
            )
            for number in ("٣", "１", "1e1", "1_0", "+3", "1,5.0")
        ),
        (
            {"thong_tin_don_thuoc": [DRUGS[0] | {"cach_dung": ""}]},
            "missing-field thong_tin_don_thuoc[0].cach_dung",
        ),
        (
            {"thong_tin_don_thuoc": [DRUGS[0] | {"cach_dung": "1 viên/lần * 1 lần/ngày * 91 ngày"}]},
            "too-many-days thong_tin_don_thuoc[0].cach_dung",
        ),
        ({"thong_tin_don_thuoc": "x"}, "bad-type prescription.thong_tin_don_thuoc"),
        ({"ngay_sinh_benh_nhan": "01/01/2023", "can_nang": ""}, "child-needs-weight can_nang"),
        ({"ngay_sinh_benh_nhan": "2023-01-01"}, "child-needs-guardian thong_tin_nguoi_giam_ho"),
    ],
)
async def test_each_wrong_field_has_its_reason(
    store: Store, clock: FrozenClock, change: dict[str, Any], reason: str
) -> None:
    citizen = await make_citizen(store, clock)
    machine = await make_machine(store, clock, await make_facility(store, clock, "25366"))
    body = {"prescription": national(citizen, new_code("25366")) | change}
    async with client_of(store, clock) as client:
        sent = await post(client, machine, body)
        assert (sent.status_code, sent.json()["code"]) == (422, "prescription-invalid"), sent.text
        assert reason in sent.text
        assert await listed(client, citizen) == []


async def test_a_child_below_72_months_with_weight_and_guardian_is_taken(
    store: Store, clock: FrozenClock
) -> None:
    child = await make_citizen(store, clock, birth_date="2022-05-01")
    machine = await make_machine(store, clock, await make_facility(store, clock, "25366"))
    body = national(
        child, new_code("25366"), can_nang="13,5", thong_tin_nguoi_giam_ho={"ten": "Trần Văn Cha"}
    )
    async with client_of(store, clock) as client:
        sent = await post(client, machine, body)
        assert sent.status_code == 202, sent.text
        assert len(await listed(client, child)) == 1


async def test_what_was_sent_is_never_changed_only_replaced(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    machine = await make_machine(store, clock, await make_facility(store, clock, "25366"))
    code, new, third = (new_code("25366") for _ in range(3))
    async with client_of(store, clock) as client:
        for _ in range(2):
            assert (await post(client, machine, national(citizen, code.upper()))).status_code == 202
        before = await rows(store, citizen.patient_id)
        changed = await post(client, machine, national(citizen, code, loi_dan="Khác"))
        assert (changed.status_code, "already-sent ma_don_thuoc" in changed.text) == (422, True)
        assert await rows(store, citizen.patient_id) == before
        assert (
            await post(client, machine, {"prescription": national(citizen, new), "replaces": code})
        ).status_code == 202
        twice = await post(client, machine, {"prescription": national(citizen, third), "replaces": code})
        assert "already-replaced replaces" in twice.text
        unknown = {"prescription": national(citizen, third), "replaces": new_code("25366")}
        assert "unknown-prescription replaces" in (await post(client, machine, unknown)).text
        itself = {"prescription": national(citizen, third), "replaces": third}
        assert "bad-code replaces" in (await post(client, machine, itself)).text


async def test_s3_no_facility_sends_replaces_or_withdraws_for_another(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    clinic = await make_machine(store, clock, await make_facility(store, clock, "25366"))
    stranger = await make_machine(store, clock, await make_facility(store, clock, "79015"))
    code = new_code("25366")
    async with client_of(store, clock) as client:
        forged = await post(client, stranger, national(citizen, new_code("25366")))
        assert "facility-mismatch" in forged.text
        assert (await post(client, clinic, national(citizen, code))).status_code == 202
        before = await rows(store, citizen.patient_id)
        body = {"prescription": national(citizen, new_code("79015")), "replaces": code}
        assert "facility-mismatch replaces" in (await post(client, stranger, body)).text
        [shown] = await listed(client, citizen)
    assert shown["state"] == "open"
    assert await rows(store, citizen.patient_id) == before


@pytest.mark.parametrize(
    "more",
    [
        {"chan_doan": [{"ma_chan_doan": "B20", "ten_chan_doan": "x"}]},
        {"luu_y": "Bệnh nhân HIV"},
        {"thong_tin_don_thuoc": [DRUGS[0] | {"ten_thuoc": "Efavirenz 600 mg", "biet_duoc": ""}]},
    ],
)
async def test_the_gate_keeps_such_a_prescription_out_whole(
    store: Store, clock: FrozenClock, more: dict[str, Any]
) -> None:
    """Its writer is told that something was kept out and not what; nobody else is told anything."""
    citizen = await make_citizen(store, clock)
    clinic = await make_facility(store, clock, "25366")
    machine = await make_machine(store, clock, clinic)
    code = new_code("25366")
    async with client_of(store, clock) as client:
        sent = await post(client, machine, national(citizen, code, **more))
        assert sent.status_code == 202, sent.text
        assert sent.json()["kept_out"] > 0
        assert await listed(client, citizen) == []
    kept = await rows(store, citizen.patient_id)
    assert "MedicationRequest" not in {row[0] for row in kept}
    assert not any(word in row[7] for row in kept for word in ("B20", "HIV", "Efavirenz"))


async def test_s19_known_unknown_and_conflicting_persons_get_one_answer(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    machine = await make_machine(store, clock, await make_facility(store, clock, "25366"))
    told = []
    async with client_of(store, clock) as client:
        for more in ({}, {"ma_dinh_danh_cong_dan": "079000000078"}, {"ho_ten_benh_nhan": "Người Khác"}):
            sent = await post(client, machine, national(citizen, new_code("25366"), **more))
            shape = sent.json()
            shape.pop("code")
            told.append((sent.status_code, shape, sorted(sent.headers)))
    assert told[0] == told[1] == told[2]
