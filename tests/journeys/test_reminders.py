"""From a prescription to the phone over the real server: plan, push, answer, a child's carer, quiet hours."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from healthbook.demo_sheet import DemoChild
from kernel.clock import VIETNAM
from tests.journeys.conftest import People
from tests.journeys.test_prescription import (
    HOSPITAL,
    WAIT_SECONDS,
    drug,
    hand_out,
    plans,
    ring_now,
    send,
    wait_for,
)
from tests.support.client import Api, App
from tests.support.service import Service, rows

MEDICINE = "Zinzol"


def pushes(api: Api, patient_id: str, *types: str) -> list[dict[str, Any]]:
    """What left for that person's phones, newest first."""
    found: list[dict[str, Any]] = api.ask("GET", "/demo/inbox.json")["items"]
    return [
        one
        for one in found
        if one["patient_id"] == patient_id and one["channel"] == "push" and one["type"] in types
    ]


def told(app: App, *types: str) -> list[dict[str, Any]]:
    return [one for one in app.get("/v1/me/notifications")["items"] if one["type"] in types]


def of_child(child: DemoChild) -> Any:
    """The child as a hospital's system names it."""
    return SimpleNamespace(name=child.name, number=child.number, birth_date=child.birth_date, sex="female")


def plans_of(app: App, whose: dict[str, str], **wanted: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = app.get("/v1/me/reminders", headers=whose)["items"]
    return [one for one in items if all(one[name] == value for name, value in wanted.items())]


async def let_pass(service: Service, kind: str, until: Callable[[], Any]) -> Any:
    """Have what waits for its minute due at once, step after step: a test cannot wait for half an hour."""
    for _ in range(WAIT_SECONDS * 4):
        await rows(service, "UPDATE due_queue SET due_at = now() WHERE kind = $1", kind)
        if found := until():
            return found
        await asyncio.sleep(0.25)
    raise AssertionError("the worker did not come to it")


async def prescribed(api: Api, people: People, person: Any) -> None:
    """A hospital's system sent it, and a pharmacy handed all of it out."""
    one = drug("1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]", 10)
    code = send(api, people.machine(HOSPITAL), person, one)
    hand_out(people.staff("ds.kim"), code, "10")


async def test_a_dose_is_planned_pushed_and_answered_and_a_phone_with_the_plan_is_left_alone(
    api: Api, people: People, service: Service
) -> None:
    person = people.sheet.citizens[1]
    app = people.app(person.key)
    await prescribed(api, people, person)
    [plan] = wait_for(lambda: plans(app, doses_left=10))
    await ring_now(service, plan["reminder_id"])
    [push] = wait_for(lambda: pushes(api, person.patient_id, "medicine-due"))
    [notice] = told(app, "medicine-due")
    assert push["notification_id"] == notice["id"]
    assert MEDICINE.lower() not in str([push, notice]).lower()

    now = f"{datetime.now(UTC).isoformat()}"
    answer = {
        "reminder_id": plan["reminder_id"],
        "due_at": notice["ref"]["due_at"],
        "act": "taken",
        "at": now,
    }
    assert app.post("/v1/me/reminders/answers", {"sent_at": now, "items": [answer]})["items"]
    assert '"taken":1' in str(app.get("/v1/me/reminders/adherence?weeks=1")).replace("'", '"').replace(
        " ", ""
    )

    shipped = app.get("/v1/me/reminders/plan")
    assert MEDICINE.lower() not in str(shipped).lower()
    covers = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    app.api.ask(
        "POST",
        "/v1/me/reminders/plan/ack",
        204,
        token=app.token(),
        body={"version": shipped["version"], "covers_until": covers},
    )
    await rows(
        service,
        "UPDATE reminder_plan_ack SET at = at - interval '1 hour' WHERE patient_id = $1::uuid",
        person.patient_id,
    )
    await ring_now(service, plan["reminder_id"])
    wait_for(lambda: len(told(app, "medicine-due")) == 2)
    assert len(pushes(api, person.patient_id, "medicine-due")) == 1


async def test_a_child_s_dose_that_nobody_answers_reaches_the_guardian_without_a_name(
    api: Api, people: People, service: Service
) -> None:
    [child] = people.sheet.children
    guardian = people.app(child.guardian)
    whose = {"X-Patient-Id": child.patient_id}
    await prescribed(api, people, of_child(child))
    [plan] = wait_for(lambda: plans_of(guardian, whose, kind="medication"))
    await ring_now(service, plan["reminder_id"])
    wait_for(lambda: told(guardian, "dependent-reminder"))
    await let_pass(service, "reminder-unanswered", lambda: told(guardian, "dependent-unanswered"))
    [push] = wait_for(lambda: pushes(api, guardian.patient_id, "dependent-unanswered"))
    said = str([push, *told(guardian, "dependent-unanswered", "dependent-reminder")]).lower()
    assert child.name.lower() not in said
    assert MEDICINE.lower() not in said


async def test_in_quiet_hours_news_waits_for_the_morning_and_a_request_rings(
    api: Api, people: People, service: Service
) -> None:
    """The hours are laid round this minute, whenever it is."""
    person = people.sheet.citizens[2]
    app, clerk, doctor = people.app(person.key), people.staff("tn.tua"), people.staff("bs.senh")
    here = datetime.now(VIETNAM)
    wanted = app.get("/v1/me/notification-preferences")
    del wanted["mutable"]
    wanted |= {
        "quiet_from": f"{here - timedelta(hours=1):%H:%M}",
        "quiet_until": f"{here + timedelta(hours=2):%H:%M}",
        "digest": True,
    }
    app.api.ask("PUT", "/v1/me/notification-preferences", token=app.token(), body=wanted)
    since = datetime.now(UTC)
    before = {one["id"] for one in told(app, "check-in")}
    clerk.check_in(app.qr())
    [arrived] = wait_for(lambda: [one for one in told(app, "check-in") if one["id"] not in before])
    doctor.ask("citizen-qr", app.qr())
    wait_for(lambda: pushes(api, person.patient_id, "consent-request"))
    # Run at night, what came before these hours were set waits for the end of the usual ones.
    waiting = await rows(
        service,
        "SELECT DISTINCT type, due_at > now() + interval '1 hour' FROM delivery"
        " WHERE patient_id = $1::uuid AND status = 'pending' AND channel = 'push' AND created_at >= $2",
        person.patient_id,
        since,
    )
    assert waiting == [("news-waiting", True)]
    assert arrived["id"] not in {
        one["notification_id"] for one in pushes(api, person.patient_id, "check-in", "news-waiting")
    }
