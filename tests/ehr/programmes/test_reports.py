"""Monthly and quarterly files: a row a person, on what the station said of them before."""

from typing import Any

import httpx
import pytest

from store.database import Store
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.programmes import enrol, pregnancy, programmes

PLACE = "/v1/facility/programmes/reports"
HEADINGS = (
    "Số định danh cá nhân;Họ và tên;Ngày sinh;Giới tính;Chương trình;Số sổ;Ngày vào;Giai đoạn;Ngày khám;"
    "Hẹn khám;Lời dặn;Huyết áp tâm thu;Huyết áp tâm trương;Cân nặng (kg);Ngày kinh cuối;Mũi uốn ván thứ;"
    "Ngày kết thúc;Lý do kết thúc"
)


def line(who: Citizen, programme: str, number: str, *cells: str) -> str:
    day = "{2}/{1}/{0}".format(*who.birth_date.split("-"))
    first = [who.number, who.name, day, "Nữ", programme, number, "01/10/2026", *cells]
    return ";".join([*first, *[""] * (18 - len(first))])


async def send(client: httpx.AsyncClient, who: Doctor, *lines: str, **params: str) -> dict[str, Any]:
    query = {"frequency": "quarterly", "reported_on": "2026-11-20"} | params
    answer = await client.post(
        PLACE,
        params=query,
        content="\n".join([HEADINGS, *lines]).encode(),
        headers=bearer(who.token) | {"Content-Type": "text/csv"},
    )
    assert answer.status_code == 202, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


def told(receipt: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (one["status"], [(r["code"], r["where"]) for r in one.get("reasons", [])]) for one in receipt["rows"]
    ]


async def test_a_quarter_s_rows_become_plans_and_the_next_quarter_goes_on_them(
    store: Store, clock: FrozenClock
) -> None:
    one, two = await make_citizen(store, clock), await make_citizen(store, clock, name="Lê Thị Hai")
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    first = (
        line(one, "tăng huyết áp", "7", "Độ 1", "05/10/2026", "05/11/2026", "Ăn nhạt.", "150", "95", "58,5"),
        line(two, "Thai kỳ", "8", "", "06/10/2026", "06/11/2026", "", "", "", "", "04/07/2026", "1"),
    )
    async with client_of(store, clock) as client:
        receipt = await send(client, nurse, *first)
        assert told(receipt) == [("accepted", []), ("accepted", [])]
        (item,) = await programmes(client, one)
        assert item["text"].endswith("Lần khám tới: 05/11/2026.")
        assert item["lines"][-1] == "Cơ sở báo cáo mỗi quý một lần; số liệu đến ngày 20/11/2026."
        (pregnancy,) = (await client.get("/v1/me/pregnancy", headers=bearer(two.token))).json()["items"]
        assert (pregnancy["weeks"], pregnancy["tetanus"][0]["state"]) == (20, "given")
        before = await rows(store, one.patient_id)
        again = await send(client, nurse, *first)
        assert again["file"]["file_id"] == receipt["file"]["file_id"]
        assert await rows(store, one.patient_id) == before
        following = line(one, "hypertension", "7", "", "10/11/2026", "10/12/2026")
        await send(client, nurse, following, frequency="monthly")
        (item,) = await programmes(client, one)
        assert item["text"].endswith("Lần khám tới: 10/12/2026.")
        assert item["lines"][0] == "Giai đoạn: Độ 1"
        visits = await client.get("/v1/me/encounters", headers=bearer(one.token))
        assert len(visits.json()["items"]) == 2
        ended = line(one, "hypertension", "7", *[""] * 9, "15/11/2026", "không cần theo dõi nữa")
        receipt = await send(client, nurse, ended)
        assert told(receipt) == [("accepted", [])]
        (item,) = await programmes(client, one)
        assert item["status"] == "completed"
        due = await client.get("/v1/facility/programmes/due", headers=bearer(nurse.token))
        assert [row["name"] for row in due.json()["items"]] == ["Lê Thị Hai"]


async def test_a_row_without_a_next_day_leaves_the_one_that_is_still_to_come(
    store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        await send(client, nurse, line(who, "tăng huyết áp", "7", "Độ 1", "05/10/2026", "05/12/2026"))
        await send(client, nurse, line(who, "tăng huyết áp", "7", "", "10/11/2026"), frequency="monthly")
        (item,) = await programmes(client, who)
        assert item["text"].endswith("Lần khám tới: 05/12/2026.")
        assert item["lines"][0] == "Giai đoạn: Độ 1"


async def test_a_visit_that_used_its_day_up_puts_the_person_on_the_list_without_days(
    store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    due = "/v1/facility/programmes/due"
    async with client_of(store, clock) as client:
        await send(client, nurse, line(who, "tăng huyết áp", "7", "", "05/10/2026", "05/11/2026"))
        await send(client, nurse, line(who, "tăng huyết áp", "7", "", "10/11/2026"), frequency="monthly")
        dated = await client.get(due, params={"until": "2030-01-01"}, headers=bearer(nurse.token))
        undated = await client.get(due, params={"undated": "true"}, headers=bearer(nurse.token))
        file = await client.get(f"{due}.csv", params={"undated": "true"}, headers=bearer(nurse.token))
    assert dated.json()["items"] == []
    (one,) = undated.json()["items"]
    assert (one["name"], one["next_visit_on"], one["days_overdue"]) == (who.name, None, None)
    assert one["last_visit_on"] == "2026-11-10"
    assert who.name in file.content.decode("utf-8-sig")


@pytest.mark.parametrize("first", ["form", "file"])
async def test_a_visit_told_by_form_and_by_file_stands_once(
    store: Store, clock: FrozenClock, first: str
) -> None:
    who = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    row = line(who, "Thai kỳ", "8", "", "05/11/2026", "05/12/2026", "", "", "", "55", "04/07/2026", "1")
    dose = {"number": 1, "lot_number": "TT26"}
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, pregnancy(who, register_number="8"))
        if first == "file":
            await send(client, nurse, row)
        visit = {
            "visited_on": "2026-11-05",
            "place": "home",
            "vital_signs": {"systolic": "110"},
            "tetanus": dose,
        }
        told = await client.post(f"{place}/visits", json=visit, headers=bearer(nurse.token))
        assert told.status_code == 201
        if first == "form":
            await send(client, nurse, row)
        kept = (await client.get(place, headers=bearer(nurse.token))).json()["enrolment"]["visits"]
        shots = await client.get("/v1/me/immunizations", headers=bearer(who.token))
        (one,) = (await client.get("/v1/me/pregnancy", headers=bearer(who.token))).json()["items"]
    (stood,) = [one["body"] for one in kept]
    assert (stood["tetanus"], stood["place"]) == (dose, "home")
    assert (stood["vital_signs"]["systolic"], stood["vital_signs"]["weight"]) == ("110", "55")
    assert len(shots.json()["items"]) == 1
    assert [dose["state"] for dose in one["tetanus"]] == ["given", "not-yet"]


async def test_each_wrong_row_has_its_reason_and_the_others_are_taken(
    store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    lines = (
        line(who, "HIV", "1"),
        line(who, "tăng huyết áp", "2", "Đang uống ARV"),
        line(who, "tăng huyết áp", "3", "", "31/02/2026"),
        line(who, "tăng huyết áp", "4", "", "", "", "Ăn nhạt."),
        line(who, "thai kỳ", "5"),
        line(who, "tăng huyết áp", "6", "", "05/10/2026", "", "", "một trăm"),
        line(who, "tăng huyết áp", "7", *[""] * 9, "15/11/2026"),
        line(who, "tăng huyết áp", "8", "", "24/12/2026"),
        line(who, "đái tháo đường", "9", "", "05/10/2026", "", "", "", "", "", "", "2"),
        line(who, "cancer", "10"),
    )
    async with client_of(store, clock) as client:
        receipt = await send(client, nurse, *lines)
        items = await programmes(client, who)
    assert told(receipt) == [
        ("refused", [("bad-code", "programme")]),
        ("refused", [("withheld", "row")]),
        ("refused", [("bad-date", "visited_on")]),
        ("refused", [("missing-field", "visited_on")]),
        ("refused", [("missing-field", "last_period_on")]),
        ("refused", [("bad-value", "systolic")]),
        ("refused", [("missing-field", "end_reason")]),
        ("refused", [("future-date", "visited_on")]),
        ("refused", [("unexpected-field", "tetanus")]),
        ("accepted", []),
    ]
    assert [item["title"] for item in items] == ["Được theo dõi bệnh ung thư"]


async def test_s19_a_receipt_says_the_same_of_known_unknown_and_conflicting_persons(
    store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    known = line(who, "elderly", "1")
    unknown = line(who, "elderly", "2").replace(who.number, "079000000077")
    conflicting = line(who, "elderly", "3").replace(who.name, "Người Khác")
    async with client_of(store, clock) as client:
        receipt = await send(client, nurse, known, unknown, conflicting)
    assert told(receipt) == [("accepted", [])] * 3
    assert all(sorted(one) == sorted(receipt["rows"][0]) for one in receipt["rows"])


async def test_s3_another_facility_reads_no_receipt_and_changes_no_enrolment(
    store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    other = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        receipt = await send(client, nurse, line(who, "elderly", "1", "Khỏe"))
        path = f"{PLACE}/{receipt['file']['file_id']}"
        assert (await client.get(path, headers=bearer(nurse.token))).json() == receipt
        refused = await client.get(path, headers=bearer(other.token))
        assert (refused.status_code, refused.json()["code"]) == (404, "rows-not-found")
        await send(client, other, line(who, "elderly", "1", "Yếu"))
        items = await programmes(client, who)
    assert sorted(item["lines"][0] for item in items) == ["Giai đoạn: Khỏe", "Giai đoạn: Yếu"]
