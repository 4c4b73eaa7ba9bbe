"""The demo's inbox: there in a demo, nowhere else, and safe to look at."""

from datetime import timedelta
from typing import Any

from api.app import create_app
from healthbook.worker import Worker
from notifications.delivery import Senders
from notifications.models import SmsSignIn
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.service import notify
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import Citizen, make_citizen


async def with_a_sign_in_code(store: Store, delivery: Store, clock: FrozenClock, name: str) -> Citizen:
    citizen = await make_citizen(store, clock, name=name)
    now = clock.now()
    async with store.transaction() as tx:
        await notify(
            tx,
            store.keys,
            citizen.patient_id,
            "sign-in-code",
            "k",
            now,
            now + timedelta(minutes=5),
            sms=SmsSignIn(code="QXWRTB"),
            phone=citizen.phone_number,
        )
    worker = Worker(store, delivery, Senders(RecordingPushSender(), RecordingSmsSender()), clock)
    while await worker.run_once():
        pass
    return citizen


def code_of(found: dict[str, Any], citizen: Citizen) -> dict[str, Any]:
    """Beside the code waits the SMS that would say again that a device was added."""
    mine = [item for item in found["items"] if item["patient_id"] == str(citizen.patient_id)]
    (item,) = [item for item in mine if item["type"] == "sign-in-code"]
    return dict(item)


async def test_s4_without_the_demo_mark_no_demo_route_is_registered(store: Store, clock: FrozenClock) -> None:
    app = create_app(store, clock, demo=False)
    assert not [route.path for route in app.routes if "demo" in route.path]
    async with client_of(store, clock) as client:
        for path in ("/demo", "/demo/accounts", "/demo/inbox", "/demo/inbox.json"):
            assert (await client.get(path)).status_code == 404


async def test_a_demo_shows_the_code_that_would_have_left(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    citizen = await with_a_sign_in_code(store, delivery, clock, "Trần Thị Hoa")
    async with client_of(store, clock, demo=True) as client:
        found = (await client.get("/demo/inbox.json")).json()
        page = await client.get("/demo/inbox")
    item = code_of(found, citizen)
    assert item["code"] == "QXWRTB"
    assert item["phone"] == citizen.phone_number
    assert item["text"].startswith("DANG NHAP. KHONG DOC CHO AI")
    assert found["names"][str(citizen.patient_id)] == "Trần Thị Hoa"
    assert "QXWRTB" in page.text
    assert "Trần Thị Hoa" in page.text
    assert page.headers["content-type"].startswith("text/html")


async def test_a_code_that_expired_is_gone_from_the_page(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    citizen = await with_a_sign_in_code(store, delivery, clock, "Lê Văn Tư")
    clock.advance(minutes=6)
    worker = Worker(store, delivery, Senders(RecordingPushSender(), RecordingSmsSender()), clock)
    await worker.run_once()
    async with client_of(store, clock, demo=True) as client:
        found = (await client.get("/demo/inbox.json")).json()
    item = code_of(found, citizen)
    assert (item["code"], item["text"], item["phone"], item["is_live"]) == (None, None, None, False)


async def test_s35_a_name_cannot_become_markup_and_no_script_of_a_page_may_run(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    await with_a_sign_in_code(store, delivery, clock, "<script>alert(1)</script>")
    async with client_of(store, clock, demo=True) as client:
        page = await client.get("/demo/inbox")
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["cache-control"] == "no-store"
