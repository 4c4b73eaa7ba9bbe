"""A prescription is dispensed in two pharmacies and replaced; reminders follow, over the real server."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from healthbook.demo_sheet import DemoCitizen
from kernel.clock import VIETNAM
from tests.journeys.conftest import People
from tests.support.client import Api, App, Machine, Staff
from tests.support.prescriptions import national, new_code
from tests.support.service import Service, rows

HOSPITAL = "99D01"
WAIT_SECONDS = 30
SEND, LOOK_UP = "/v1/facility/prescriptions", "/v1/facility/prescriptions/look-up"
DISPENSE = "/v1/facility/prescriptions/dispenses"


def drug(dose: str, amount: int) -> dict[str, Any]:
    return {"ten_thuoc": "Zinzol 5 mg", "don_vi_tinh": "viên", "so_luong": amount, "cach_dung": dose}


def send(
    api: Api, hospital: Machine, person: DemoCitizen, one: dict[str, Any], replaces: str | None = None
) -> str:
    """The hospital's system sends a prescription of this minute. Returns its code."""
    code = new_code(HOSPITAL)
    issued = f"{datetime.now(VIETNAM):%Y-%m-%d %H:%M:%S}"
    body: dict[str, Any] = {
        "prescription": national(
            person, code, thong_tin_don_thuoc=[one], ngay_gio_ke_don=issued, ngay_tai_kham=""
        )
    }
    if replaces is not None:
        body["replaces"] = replaces
    api.ask("POST", SEND, 202, token=hospital.token, body=body)
    return code


def hand_out(pharmacist: Staff, code: str, quantity: str, expect: int = 201) -> Any:
    lines = [{"line": 1, "quantity": quantity}]
    return pharmacist.post(DISPENSE, {"code": code, "lines": lines}, expect)


def wait_for(what: Callable[[], Any]) -> Any:
    """What the worker makes of it, once it is there."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("the worker did not come to it")


def plans(app: App, **wanted: Any) -> list[dict[str, Any]]:
    """The reminders of e-prescriptions that have these values."""
    items: list[dict[str, Any]] = app.get("/v1/me/reminders")["items"]
    items = [item for item in items if item["prescription_id"] is not None]
    return [item for item in items if all(item[name] == value for name, value in wanted.items())]


async def ring_now(service: Service, reminder_id: str) -> datetime:
    """The next time of a plan was a minute ago: a test cannot wait for the evening. Returns that time."""
    due = datetime.now(UTC) - timedelta(minutes=1)
    await rows(service, "UPDATE reminder SET next_at = $2 WHERE reminder_id = $1::uuid", reminder_id, due)
    await rows(
        service,
        "UPDATE due_queue SET due_at = $2 WHERE kind = 'reminder' AND ref LIKE '%' || $1",
        reminder_id,
        due,
    )
    return due


async def test_reminders_follow_what_two_pharmacies_hand_out_and_a_replacement(
    api: Api, people: People, service: Service
) -> None:
    person, hospital = people.sheet.citizens[0], people.machine(HOSPITAL)
    app = people.app(person.key)
    first, second = people.staff("ds.kim"), people.staff("ds.van")
    old = send(api, hospital, person, drug("1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]", 10))
    [shown] = [one for one in app.get("/v1/me/prescriptions")["items"] if one["code"] == old]
    assert shown["state"] == "open"
    assert plans(app) == []

    hand_out(first, old, "4")
    [plan] = wait_for(lambda: plans(app, doses_left=4))
    assert (plan["state"], plan["times"]) == ("active", ["07:00", "20:00"])
    assert plan["starts_on"] == f"{datetime.now(VIETNAM):%Y-%m-%d}"
    assert second.post(LOOK_UP, {"code": old})["lines"][0]["left"] == "6"
    hand_out(second, old, "6")
    [extended] = wait_for(lambda: plans(app, doses_left=10))
    assert extended["reminder_id"] == plan["reminder_id"]

    due = await ring_now(service, plan["reminder_id"])
    wait_for(lambda: plans(app, doses_left=9))
    # Everybody of the demo, this person too, has other plans, which ring in this run at 07:00 or 20:00.
    told = [
        one
        for one in app.get("/v1/me/notifications")["items"]
        if one["type"] == "medicine-due" and datetime.fromisoformat(one["ref"]["due_at"]) == due
    ]
    assert len(told) == 1
    pushes = wait_for(
        lambda: [
            one
            for one in api.ask("GET", "/demo/inbox.json")["items"]
            if one["type"] == "medicine-due" and one["patient_id"] == person.patient_id
        ]
    )
    assert "zinzol" not in str(pushes + told).lower()

    new = send(api, hospital, person, drug("1 viên/lần * 1 lần/ngày * 3 ngày [1 viên/ngày]", 3), replaces=old)
    [ended] = wait_for(lambda: plans(app, state="ended"))
    assert (ended["reminder_id"], ended["end_reason"]) == (plan["reminder_id"], "replaced")
    assert plans(app, state="active") == []
    assert second.post(LOOK_UP, {"code": old}, 409) == "prescription-replaced"

    hand_out(second, new, "3")
    [following] = wait_for(lambda: plans(app, state="active"))
    assert (following["times"], following["doses_left"]) == (["07:00"], 3)
    stopped = app.post(f"/v1/me/reminders/{following['reminder_id']}/acts", {"act": "stop"})
    assert (stopped["state"], stopped["next_at"]) == ("stopped", None)
    log = [one["line"] for one in app.get("/v1/me/access-log?limit=100")["items"]]
    assert any("đổi một lời nhắc dùng thuốc" in line for line in log)
